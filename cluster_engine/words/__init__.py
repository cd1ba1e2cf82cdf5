"""All words for people, in one folder a language, and the renderer of sentences and explanations.

    words/en/sentences.toml       what an entry says         sentence(entry, "en")
    words/en/explanations.toml    what kind of thing it is   explanation(entry, "en")
    words/en/faults.toml          what can be broken
    words/en/page.toml            what the page itself says
    words/en/state.toml, …        what the page says where few readers come: a file is fetched when it is needed

An entry of the journal carries a kind and fields, no prose. The page renders the same patterns by the same rules
(`static/js/strings.js`); `tests/engine/words/cases.json` holds the two equal. A language is added by a folder with
these files; `missing` tells what it still lacks.
"""
