"""Rooms: one instructor, many learners, each with a cluster of their own or all before the instructor's."""
