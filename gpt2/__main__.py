"""``python -m gpt2``: lets a finished GPT-2 write."""

from gpt2.commands.cli import main

main()
