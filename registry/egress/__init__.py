"""The only way out to the network: a name is resolved once, checked, pinned; what comes back is bounded.

Proofs and webhooks go through here, and nothing else does. Mail goes to the operator's own server, the object
store to the operator's own bucket.
"""

from __future__ import annotations

from registry.egress.addresses import check_public, is_public
from registry.egress.egress import Answer, Egress, open_egress
from registry.egress.guarded import Limits
from registry.egress.names import Names, SystemNames

__all__ = ["Answer", "Egress", "Limits", "Names", "SystemNames", "check_public", "is_public", "open_egress"]
