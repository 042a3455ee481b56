"""A link to one object for a while: S3's Signature Version 4 in a query (docs/spec/storage-s3.md)."""

import hmac
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, urlsplit

REGION = "us-east-1"


def link(url: str, keys: tuple[str, str], path: str, moment_s: int, expires_s: int) -> str:
    """Lets whoever has it read `path` (`/BUCKET/KEY`) of the gateway at `url`, for so long from the moment on.

    Args:
        keys: the access key and its secret.
    """
    access, secret = keys
    moment = datetime.fromtimestamp(moment_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{REGION}/s3/aws4_request"
    said = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{access}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(expires_s),
        "X-Amz-SignedHeaders": "host",
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(said.items()))
    where = quote(path)
    request = f"GET\n{where}\n{query}\nhost:{urlsplit(url).netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (moment[:8], REGION, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return f"{url}{where}?{query}&X-Amz-Signature={signature}"
