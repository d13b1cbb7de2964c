"""``python -m modelwarrant`` is ``warrant``."""

from modelwarrant.cli import main

if __name__ == "__main__":
    main()
