"""What must hold between the fields of an object; what concerns one field alone is said in its schema.

Each rule takes an object, its path and the list of causes to add to; update rules take the new and the old object.
"""
