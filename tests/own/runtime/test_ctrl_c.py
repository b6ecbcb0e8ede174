"""Ctrl-C while MAX compiles."""

import os
import signal
import subprocess
import sys


def test_ctrl_c_ends_a_compile_that_python_waits_for():
    code = (
        "from runtime.ctrl_c import interruptible\n"
        "with interruptible():\n"
        "    print('compiling', flush=True)\n"
        "    sum(range(10**13))\n"  # takes hours and never checks for signals
    )
    command, env = [sys.executable, "-c", code], dict(os.environ)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"compiling\n"
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(10) == -signal.SIGINT
        finally:
            process.kill()
