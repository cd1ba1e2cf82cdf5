"""Admission: after authorization and before storage, only for writes; plug-ins may change an object or refuse it."""
