"""`make i18n`: names every text that a language lacks, has too many, or says with other places. 1 where any does."""

from __future__ import annotations

import argparse
import sys

from tests.i18n.catalogues import TRANSLATED, complete, file_of, problems, wanted


def main() -> int:
    parser = argparse.ArgumentParser(prog="make i18n ARGS=", description=__doc__)
    parser.add_argument("--write", action="store_true", help="add what is missing, empty, and drop what is superfluous")
    options = parser.parse_args()
    found = 0
    for language in TRANSLATED:
        file, texts = file_of(language), wanted(language)
        if options.write:
            complete(file, language, texts)
        wrong = list(problems(file, texts))
        print(f"{language}: {len(texts)} texts, {len(wrong)} problems")
        for problem in wrong:
            print(f"  {problem}")
        found += len(wrong)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
