"""Walkthroughs and exercises: what is told, what is played, what is checked. No Django; the worker imports this.

A lesson is a folder of data: `lesson.yaml` (a start, anchors, questions, a proof) and its prose, one file a language.
`source` and `yaml_values` read YAML with its lines, `lesson`, `steps` and `questions` are the records, `reading` makes
them, `prose` reads Markdown, `library` finds lessons, `player` plays one on a cluster, `check` proves it.
"""
