"""Programs that read text and write text, as coreutils, findutils and their like have them."""
