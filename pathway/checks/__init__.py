"""Why a definition cannot be used: each check gives pairs of an element's FHIRPath and a sentence."""
