"""Runs Debian's zun and openstack, one command after another in one process, since
starting Python costs more than most commands. Reads a JSON list of words a line and
answers with a JSON object: code, out, err."""

import contextlib
import io
import json
import logging
import sys


def main(words):
    if words[0] == "zun":
        from zunclient import shell

        sys.argv = words
        return shell.main()
    from openstackclient import shell

    return shell.main(words[1:])


def run(words):
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words) or 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
    for handler in list(logging.getLogger().handlers):
        logging.getLogger().removeHandler(handler)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


answers = sys.stdout
for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), file=answers, flush=True)
