"""Verifies a DSSE envelope with `securesystemslib`: `dsse.py ENVELOPE PUBLIC_KEY_HEX KEYID`."""

import json
import sys

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

path, public, keyid = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    envelope = Envelope.from_dict(json.load(file))
key = SSlibKey(keyid, "ed25519", "ed25519", {"public": public})
try:
    envelope.verify([key], 1)
except VerificationError as error:
    print(json.dumps({"error": type(error).__name__}))
else:
    statement = json.loads(envelope.payload)
    print(json.dumps({"type": envelope.payload_type, "predicate": statement["predicateType"]}))
