"""What stands in the columns of `kubectl get`: functions from (object, now) to a cell.

From `pkg/printers/internalversion/printers.go`, case by case, because people read these words for a living.
"""
