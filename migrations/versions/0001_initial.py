"""The tables.

Revision: 0001, after .
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=True),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
        sa.UniqueConstraint("leaf_hash", name=op.f("uq_act_leaf_hash")),
        sa.UniqueConstraint("log_index", name=op.f("uq_act_log_index")),
        sa.UniqueConstraint("number", name=op.f("uq_act_number")),
    )
    with op.batch_alter_table("act", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_act_ref"), ["ref"], unique=False)

    op.create_table(
        "claim",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("identity", sa.String(length=1000), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("proof", sa.String(length=100), nullable=False),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("email_digest", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("assurance", sa.String(length=10), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("check_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
        sa.UniqueConstraint("proof", name=op.f("uq_claim_proof")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_claim_token_hash")),
    )
    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_claim_check_at"), ["check_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_claim_email_digest"), ["email_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_claim_identity"), ["identity"], unique=False)
        batch_op.create_index(batch_op.f("ix_claim_state"), ["state"], unique=False)

    op.create_table(
        "feed_head",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_feed_head")),
    )
    op.create_table(
        "follower",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_follower")),
    )
    op.create_table(
        "idempotent_answer",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_idempotent_answer")),
    )
    with op.batch_alter_table("idempotent_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotent_answer_made_at"), ["made_at"], unique=False)

    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=2000), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_claim", ["lane", "state", "run_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_key"), ["key"], unique=False)

    op.create_table(
        "log_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.Column("next_index", sa.BigInteger(), nullable=False),
        sa.Column("collected", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_state")),
    )
    op.create_table(
        "mail_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("email_digest", sa.String(length=64), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_mail_session")),
    )
    with op.batch_alter_table("mail_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_session_email_digest"), ["email_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_mail_session_ends_at"), ["ends_at"], unique=False)

    op.create_table(
        "mail_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("email_digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_mail_token")),
    )
    with op.batch_alter_table("mail_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_token_email_digest"), ["email_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_mail_token_ref"), ["ref"], unique=False)

    op.create_table(
        "matcher_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matcher_state")),
    )
    op.create_table(
        "moved",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("to_database", sa.String(length=2000), nullable=False),
        sa.Column("to_store", sa.String(length=2000), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moved")),
    )
    op.create_table(
        "operator_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("what", sa.String(length=50), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("why", sa.String(length=1000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_act")),
    )
    op.create_table(
        "operator_session",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("code_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("session_hash", sa.String(length=64), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_operator_session")),
        sa.UniqueConstraint("session_hash", name=op.f("uq_operator_session_session_hash")),
    )
    with op.batch_alter_table("operator_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_operator_session_ends_at"), ["ends_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_operator_session_who"), ["who"], unique=False)

    op.create_table(
        "opt_out",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("assurance", sa.String(length=10), nullable=False),
        sa.Column("relation", sa.String(length=20), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("publisher_only", sa.Boolean(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("remove_existing", sa.Boolean(), nullable=False),
        sa.Column("categories", sa.Integer(), nullable=False),
        sa.Column("vocabulary", sa.JSON(), nullable=False),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("email_digest", sa.String(length=64), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=True),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_force_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=True),
        sa.Column("feed_seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opt_out")),
        sa.UniqueConstraint("commitment", name=op.f("uq_opt_out_commitment")),
    )
    with op.batch_alter_table("opt_out", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opt_out_email_digest"), ["email_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_opt_out_generation"), ["generation"], unique=False)
        batch_op.create_index(batch_op.f("ix_opt_out_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_opt_out_token_hash"), ["token_hash"], unique=False)

    op.create_table(
        "publisher",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publisher")),
        sa.UniqueConstraint("slug", name=op.f("uq_publisher_slug")),
    )
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
    )
    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_report_closed_at"), ["closed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_report_subject"), ["subject"], unique=False)

    op.create_table(
        "signed_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_signed_checkpoint")),
    )
    with op.batch_alter_table("signed_checkpoint", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signed_checkpoint_made_at"), ["made_at"], unique=False)

    op.create_table(
        "statement",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("predicate_type", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=True),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("attested_by", sa.String(length=16), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_statement")),
    )
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_key_id"), ["key_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_statement_subject"), ["subject"], unique=False)

    op.create_table(
        "subject_head",
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_subject_head")),
    )
    op.create_table(
        "suggestion",
        sa.Column(
            "token",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("contributor_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("token", "rank", "contributor_id", name=op.f("pk_suggestion")),
    )
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_suggestion_contributor_id"), ["contributor_id"], unique=False)

    op.create_table(
        "tombstone",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_tombstone")),
    )
    with op.batch_alter_table("tombstone", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tombstone_kept"), ["kept"], unique=False)

    op.create_table(
        "watch",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=1000), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("email_digest", sa.String(length=64), nullable=True),
        sa.Column("webhook_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_watch_token_hash")),
    )
    with op.batch_alter_table("watch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_watch_about"), ["about"], unique=False)
        batch_op.create_index(batch_op.f("ix_watch_email_digest"), ["email_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_watch_made_at"), ["made_at"], unique=False)

    op.create_table(
        "withdrawn_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("k", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawn_key")),
    )
    op.create_table(
        "covered_photo",
        sa.Column("k", sa.BigInteger(), nullable=False),
        sa.Column("opt_out_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["opt_out_id"], ["opt_out.id"], name=op.f("fk_covered_photo_opt_out_id_opt_out")
        ),
        sa.PrimaryKeyConstraint("k", "opt_out_id", name=op.f("pk_covered_photo")),
    )
    with op.batch_alter_table("covered_photo", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_covered_photo_opt_out_id"), ["opt_out_id"], unique=False)

    op.create_table(
        "dataset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publisher_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["publisher.id"], name=op.f("fk_dataset_publisher_id_publisher")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset")),
        sa.UniqueConstraint("publisher_id", "name", name=op.f("uq_dataset_publisher_id_name")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publisher_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("from_seq", sa.BigInteger(), nullable=False),
        sa.Column("to_seq", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["publisher.id"], name=op.f("fk_delivery_publisher_id_publisher")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_publisher_id"), ["publisher_id"], unique=False)

    op.create_table(
        "fingerprint",
        sa.Column("opt_out_id", sa.String(length=32), nullable=False),
        sa.Column("k", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["opt_out_id"], ["opt_out.id"], name=op.f("fk_fingerprint_opt_out_id_opt_out")
        ),
        sa.PrimaryKeyConstraint("opt_out_id", "k", name=op.f("pk_fingerprint")),
    )
    with op.batch_alter_table("fingerprint", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fingerprint_k"), ["k"], unique=False)

    op.create_table(
        "opt_out_claim",
        sa.Column("opt_out_id", sa.String(length=32), nullable=False),
        sa.Column("claim_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_opt_out_claim_claim_id_claim")),
        sa.ForeignKeyConstraint(
            ["opt_out_id"], ["opt_out.id"], name=op.f("fk_opt_out_claim_opt_out_id_opt_out")
        ),
        sa.PrimaryKeyConstraint("opt_out_id", "claim_id", name=op.f("pk_opt_out_claim")),
    )
    with op.batch_alter_table("opt_out_claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opt_out_claim_claim_id"), ["claim_id"], unique=False)

    op.create_table(
        "opt_out_selector",
        sa.Column("opt_out_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=2000), nullable=False),
        sa.Column("k", sa.BigInteger(), nullable=False),
        sa.Column("k_beside", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["opt_out_id"], ["opt_out.id"], name=op.f("fk_opt_out_selector_opt_out_id_opt_out")
        ),
        sa.PrimaryKeyConstraint("opt_out_id", "kind", "value", name=op.f("pk_opt_out_selector")),
    )
    with op.batch_alter_table("opt_out_selector", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opt_out_selector_k_beside"), ["k_beside"], unique=False)
        batch_op.create_index("ix_opt_out_selector_kind_k", ["kind", "k"], unique=False)
        batch_op.create_index(batch_op.f("ix_opt_out_selector_value"), ["value"], unique=False)

    op.create_table(
        "proof",
        sa.Column("claim_id", sa.String(length=32), nullable=False),
        sa.Column("how", sa.String(length=12), nullable=False),
        sa.Column("place", sa.String(length=2000), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("saw", sa.String(length=300), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_proof_claim_id_claim")),
        sa.PrimaryKeyConstraint("claim_id", "how", name=op.f("pk_proof")),
    )
    op.create_table(
        "publisher_key",
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("publisher_id", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("roles", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_act", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["publisher.id"], name=op.f("fk_publisher_key_publisher_id_publisher")
        ),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_publisher_key")),
    )
    with op.batch_alter_table("publisher_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_publisher_key_publisher_id"), ["publisher_id"], unique=False)

    op.create_table(
        "receiver",
        sa.Column("publisher_id", sa.Integer(), nullable=False),
        sa.Column("next_seq", sa.BigInteger(), nullable=False),
        sa.Column("polled_to", sa.BigInteger(), nullable=False),
        sa.Column("mailed_to", sa.BigInteger(), nullable=False),
        sa.Column("pushed_to", sa.BigInteger(), nullable=False),
        sa.Column("batch_to", sa.BigInteger(), nullable=True),
        sa.Column("webhook_url", sa.String(length=2000), nullable=True),
        sa.Column("webhook_secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("webhook_error", sa.String(length=300), nullable=True),
        sa.Column("webhook_failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["publisher.id"], name=op.f("fk_receiver_publisher_id_publisher")
        ),
        sa.PrimaryKeyConstraint("publisher_id", name=op.f("pk_receiver")),
    )
    op.create_table(
        "contributor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=1000), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=True),
        sa.Column("handle", sa.String(length=1000), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=True),
        sa.Column("root_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.BigInteger(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_contributor_dataset_id_dataset")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contributor")),
        sa.UniqueConstraint("key", name=op.f("uq_contributor_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_contributor_public_id")),
    )
    with op.batch_alter_table("contributor", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contributor_root_id"), ["root_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contributor_sealed"), ["sealed"], unique=False)

    op.create_table(
        "manifest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("visibility", sa.String(length=10), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("reading", sa.JSON(), nullable=False),
        sa.Column("supersedes_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=500), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bad_rows", sa.BigInteger(), nullable=False),
        sa.Column("contributors", sa.BigInteger(), nullable=False),
        sa.Column("unattributed", sa.BigInteger(), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("access", sa.String(length=20), nullable=False),
        sa.Column("annotations", sa.JSON(), nullable=False),
        sa.Column("consent", sa.JSON(), nullable=False),
        sa.Column("contact", sa.String(length=500), nullable=True),
        sa.Column("personal_data", sa.Boolean(), nullable=True),
        sa.Column("licenses", sa.JSON(), nullable=False),
        sa.Column("platforms", sa.JSON(), nullable=False),
        sa.Column("spread", sa.JSON(), nullable=True),
        sa.Column("index_sha256", sa.String(length=64), nullable=True),
        sa.Column("items_sha256", sa.String(length=64), nullable=True),
        sa.Column("withheld_sha256", sa.String(length=64), nullable=True),
        sa.Column("withheld_key", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_manifest_dataset_id_dataset")),
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["manifest.id"], name=op.f("fk_manifest_supersedes_id_manifest")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifest")),
        sa.UniqueConstraint("dataset_id", "version", name=op.f("uq_manifest_dataset_id_version")),
        sa.UniqueConstraint("digest", name=op.f("uq_manifest_digest")),
    )
    with op.batch_alter_table("manifest", schema=None) as batch_op:
        batch_op.create_index("ix_manifest_state", ["state"], unique=False)
        batch_op.create_index("ix_manifest_withheld", ["withheld_sha256"], unique=False)

    op.create_table(
        "notice",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("opt_out_id", sa.String(length=32), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("assurance", sa.String(length=10), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("word_of", sa.JSON(), nullable=False),
        sa.Column("observed", sa.Boolean(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=True),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_notice_dataset_id_dataset")),
        sa.ForeignKeyConstraint(["opt_out_id"], ["opt_out.id"], name=op.f("fk_notice_opt_out_id_opt_out")),
        sa.ForeignKeyConstraint(["parent_id"], ["dataset.id"], name=op.f("fk_notice_parent_id_dataset")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("opt_out_id", "dataset_id", name=op.f("uq_notice_opt_out_id_dataset_id")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_dataset_id"), ["dataset_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notice_state"), ["state"], unique=False)

    op.create_table(
        "opt_out_scope",
        sa.Column("opt_out_id", sa.String(length=32), nullable=False),
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_opt_out_scope_dataset_id_dataset")
        ),
        sa.ForeignKeyConstraint(
            ["opt_out_id"], ["opt_out.id"], name=op.f("fk_opt_out_scope_opt_out_id_opt_out")
        ),
        sa.PrimaryKeyConstraint("opt_out_id", "dataset_id", name=op.f("pk_opt_out_scope")),
    )
    op.create_table(
        "alias_link",
        sa.Column("alias_id", sa.Integer(), nullable=False),
        sa.Column("number_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("manifest_id", sa.Integer(), nullable=True),
        sa.Column("other_manifest_id", sa.Integer(), nullable=True),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alias_id"], ["contributor.id"], name=op.f("fk_alias_link_alias_id_contributor")
        ),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifest.id"], name=op.f("fk_alias_link_manifest_id_manifest")
        ),
        sa.ForeignKeyConstraint(
            ["number_id"], ["contributor.id"], name=op.f("fk_alias_link_number_id_contributor")
        ),
        sa.ForeignKeyConstraint(
            ["other_manifest_id"], ["manifest.id"], name=op.f("fk_alias_link_other_manifest_id_manifest")
        ),
        sa.PrimaryKeyConstraint("alias_id", "number_id", "source", name=op.f("pk_alias_link")),
    )
    with op.batch_alter_table("alias_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alias_link_manifest_id"), ["manifest_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_alias_link_number_id"), ["number_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_alias_link_other_manifest_id"), ["other_manifest_id"], unique=False
        )

    op.create_table(
        "answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=10), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=True),
        sa.Column("statement", sa.String(length=64), nullable=True),
        sa.Column("version", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_answer_notice_id_notice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_answer_notice_id"), ["notice_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_answer_statement"), ["statement"], unique=False)

    op.create_table(
        "contributor_count",
        sa.Column("contributor_id", sa.Integer(), nullable=False),
        sa.Column("manifest_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("licenses", sa.JSON(), nullable=False),
        sa.Column("samples", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contributor_id"],
            ["contributor.id"],
            name=op.f("fk_contributor_count_contributor_id_contributor"),
        ),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifest.id"], name=op.f("fk_contributor_count_manifest_id_manifest")
        ),
        sa.PrimaryKeyConstraint("contributor_id", "manifest_id", name=op.f("pk_contributor_count")),
    )
    with op.batch_alter_table("contributor_count", schema=None) as batch_op:
        batch_op.create_index(
            "ix_contributor_count_manifest_id_start", ["manifest_id", "start"], unique=False
        )

    op.create_table(
        "contributor_name",
        sa.Column("contributor_id", sa.Integer(), nullable=False),
        sa.Column("manifest_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contributor_id"],
            ["contributor.id"],
            name=op.f("fk_contributor_name_contributor_id_contributor"),
        ),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifest.id"], name=op.f("fk_contributor_name_manifest_id_manifest")
        ),
        sa.PrimaryKeyConstraint("contributor_id", "manifest_id", "name", name=op.f("pk_contributor_name")),
    )
    op.create_table(
        "derived_from",
        sa.Column("manifest_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifest.id"], name=op.f("fk_derived_from_manifest_id_manifest")
        ),
        sa.PrimaryKeyConstraint("manifest_id", "position", name=op.f("pk_derived_from")),
    )
    with op.batch_alter_table("derived_from", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_derived_from_dataset"), ["dataset"], unique=False)

    op.create_table(
        "manifest_file",
        sa.Column("manifest_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=1024), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("column", sa.String(length=200), nullable=True),
        sa.Column("column_sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifest.id"], name=op.f("fk_manifest_file_manifest_id_manifest")
        ),
        sa.PrimaryKeyConstraint("manifest_id", "position", name=op.f("pk_manifest_file")),
    )
    with op.batch_alter_table("manifest_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_manifest_file_sha256"), ["sha256"], unique=False)

    op.create_table(
        "match",
        sa.Column("opt_out_id", sa.String(length=32), nullable=False),
        sa.Column("manifest_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Integer(), nullable=False),
        sa.Column("strength", sa.String(length=8), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("word_of", sa.JSON(), nullable=False),
        sa.Column("items", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["manifest_id"], ["manifest.id"], name=op.f("fk_match_manifest_id_manifest")),
        sa.ForeignKeyConstraint(["opt_out_id"], ["opt_out.id"], name=op.f("fk_match_opt_out_id_opt_out")),
        sa.PrimaryKeyConstraint("opt_out_id", "manifest_id", "file", "strength", name=op.f("pk_match")),
    )
    with op.batch_alter_table("match", schema=None) as batch_op:
        batch_op.create_index("ix_match_manifest_id", ["manifest_id"], unique=False)

    op.create_table(
        "notice_event",
        sa.Column("publisher_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("notice_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_notice_event_notice_id_notice")),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["publisher.id"], name=op.f("fk_notice_event_publisher_id_publisher")
        ),
        sa.PrimaryKeyConstraint("publisher_id", "seq", name=op.f("pk_notice_event")),
    )
    with op.batch_alter_table("notice_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_event_notice_id"), ["notice_id"], unique=False)

    op.create_table(
        "opt_out_maker",
        sa.Column("opt_out_id", sa.String(length=32), nullable=False),
        sa.Column("contributor_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contributor_id"], ["contributor.id"], name=op.f("fk_opt_out_maker_contributor_id_contributor")
        ),
        sa.ForeignKeyConstraint(
            ["opt_out_id"], ["opt_out.id"], name=op.f("fk_opt_out_maker_opt_out_id_opt_out")
        ),
        sa.PrimaryKeyConstraint("opt_out_id", "contributor_id", name=op.f("pk_opt_out_maker")),
    )
    with op.batch_alter_table("opt_out_maker", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opt_out_maker_contributor_id"), ["contributor_id"], unique=False)

    op.create_table(
        "submission",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("publisher_id", sa.Integer(), nullable=False),
        sa.Column("manifest_id", sa.Integer(), nullable=True),
        sa.Column("dataset", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("on_bad_rows", sa.String(length=8), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifest.id"], name=op.f("fk_submission_manifest_id_manifest")
        ),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["publisher.id"], name=op.f("fk_submission_publisher_id_publisher")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
    )
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_submission_digest"), ["digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_submission_manifest_id"), ["manifest_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_submission_publisher_id"), ["publisher_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_submission_state"), ["state"], unique=False)

    op.create_table(
        "watch_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("watch_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("manifest_id", sa.Integer(), nullable=True),
        sa.Column("notice_id", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifest.id"], name=op.f("fk_watch_event_manifest_id_manifest")
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_watch_event_notice_id_notice")),
        sa.ForeignKeyConstraint(["watch_id"], ["watch.id"], name=op.f("fk_watch_event_watch_id_watch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_event")),
    )
    with op.batch_alter_table("watch_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_watch_event_told_at"), ["told_at"], unique=False)
        batch_op.create_index("ix_watch_event_watch_id_told_at", ["watch_id", "told_at"], unique=False)

    op.create_table(
        "withdrawn_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("manifest_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Integer(), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["manifest_id"], ["manifest.id"], name=op.f("fk_withdrawn_rows_manifest_id_manifest")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawn_rows")),
    )
    op.create_table(
        "extract_part",
        sa.Column("submission_id", sa.String(length=32), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_extract_part_submission_id_submission")
        ),
        sa.PrimaryKeyConstraint("submission_id", "part", name=op.f("pk_extract_part")),
    )


def downgrade() -> None:
    op.drop_table("extract_part")
    op.drop_table("withdrawn_rows")
    with op.batch_alter_table("watch_event", schema=None) as batch_op:
        batch_op.drop_index("ix_watch_event_watch_id_told_at")
        batch_op.drop_index(batch_op.f("ix_watch_event_told_at"))

    op.drop_table("watch_event")
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_submission_state"))
        batch_op.drop_index(batch_op.f("ix_submission_publisher_id"))
        batch_op.drop_index(batch_op.f("ix_submission_manifest_id"))
        batch_op.drop_index(batch_op.f("ix_submission_digest"))

    op.drop_table("submission")
    with op.batch_alter_table("opt_out_maker", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_opt_out_maker_contributor_id"))

    op.drop_table("opt_out_maker")
    with op.batch_alter_table("notice_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_event_notice_id"))

    op.drop_table("notice_event")
    with op.batch_alter_table("match", schema=None) as batch_op:
        batch_op.drop_index("ix_match_manifest_id")

    op.drop_table("match")
    with op.batch_alter_table("manifest_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_manifest_file_sha256"))

    op.drop_table("manifest_file")
    with op.batch_alter_table("derived_from", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_derived_from_dataset"))

    op.drop_table("derived_from")
    op.drop_table("contributor_name")
    with op.batch_alter_table("contributor_count", schema=None) as batch_op:
        batch_op.drop_index("ix_contributor_count_manifest_id_start")

    op.drop_table("contributor_count")
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_answer_statement"))
        batch_op.drop_index(batch_op.f("ix_answer_notice_id"))

    op.drop_table("answer")
    with op.batch_alter_table("alias_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alias_link_other_manifest_id"))
        batch_op.drop_index(batch_op.f("ix_alias_link_number_id"))
        batch_op.drop_index(batch_op.f("ix_alias_link_manifest_id"))

    op.drop_table("alias_link")
    op.drop_table("opt_out_scope")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_state"))
        batch_op.drop_index(batch_op.f("ix_notice_dataset_id"))

    op.drop_table("notice")
    with op.batch_alter_table("manifest", schema=None) as batch_op:
        batch_op.drop_index("ix_manifest_withheld")
        batch_op.drop_index("ix_manifest_state")

    op.drop_table("manifest")
    with op.batch_alter_table("contributor", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contributor_sealed"))
        batch_op.drop_index(batch_op.f("ix_contributor_root_id"))

    op.drop_table("contributor")
    op.drop_table("receiver")
    with op.batch_alter_table("publisher_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_publisher_key_publisher_id"))

    op.drop_table("publisher_key")
    op.drop_table("proof")
    with op.batch_alter_table("opt_out_selector", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_opt_out_selector_value"))
        batch_op.drop_index("ix_opt_out_selector_kind_k")
        batch_op.drop_index(batch_op.f("ix_opt_out_selector_k_beside"))

    op.drop_table("opt_out_selector")
    with op.batch_alter_table("opt_out_claim", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_opt_out_claim_claim_id"))

    op.drop_table("opt_out_claim")
    with op.batch_alter_table("fingerprint", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fingerprint_k"))

    op.drop_table("fingerprint")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_publisher_id"))

    op.drop_table("delivery")
    op.drop_table("dataset")
    with op.batch_alter_table("covered_photo", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_covered_photo_opt_out_id"))

    op.drop_table("covered_photo")
    op.drop_table("withdrawn_key")
    with op.batch_alter_table("watch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_watch_made_at"))
        batch_op.drop_index(batch_op.f("ix_watch_email_digest"))
        batch_op.drop_index(batch_op.f("ix_watch_about"))

    op.drop_table("watch")
    with op.batch_alter_table("tombstone", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tombstone_kept"))

    op.drop_table("tombstone")
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_suggestion_contributor_id"))

    op.drop_table("suggestion")
    op.drop_table("subject_head")
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_subject"))
        batch_op.drop_index(batch_op.f("ix_statement_key_id"))

    op.drop_table("statement")
    with op.batch_alter_table("signed_checkpoint", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signed_checkpoint_made_at"))

    op.drop_table("signed_checkpoint")
    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_report_subject"))
        batch_op.drop_index(batch_op.f("ix_report_closed_at"))

    op.drop_table("report")
    op.drop_table("publisher")
    with op.batch_alter_table("opt_out", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_opt_out_token_hash"))
        batch_op.drop_index(batch_op.f("ix_opt_out_state"))
        batch_op.drop_index(batch_op.f("ix_opt_out_generation"))
        batch_op.drop_index(batch_op.f("ix_opt_out_email_digest"))

    op.drop_table("opt_out")
    with op.batch_alter_table("operator_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_operator_session_who"))
        batch_op.drop_index(batch_op.f("ix_operator_session_ends_at"))

    op.drop_table("operator_session")
    op.drop_table("operator_act")
    op.drop_table("moved")
    op.drop_table("matcher_state")
    with op.batch_alter_table("mail_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_token_ref"))
        batch_op.drop_index(batch_op.f("ix_mail_token_email_digest"))

    op.drop_table("mail_token")
    with op.batch_alter_table("mail_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_session_ends_at"))
        batch_op.drop_index(batch_op.f("ix_mail_session_email_digest"))

    op.drop_table("mail_session")
    op.drop_table("log_state")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_key"))
        batch_op.drop_index("ix_job_claim")

    op.drop_table("job")
    with op.batch_alter_table("idempotent_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotent_answer_made_at"))

    op.drop_table("idempotent_answer")
    op.drop_table("follower")
    op.drop_table("feed_head")
    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_claim_state"))
        batch_op.drop_index(batch_op.f("ix_claim_identity"))
        batch_op.drop_index(batch_op.f("ix_claim_email_digest"))
        batch_op.drop_index(batch_op.f("ix_claim_check_at"))

    op.drop_table("claim")
    with op.batch_alter_table("act", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_act_ref"))

    op.drop_table("act")
