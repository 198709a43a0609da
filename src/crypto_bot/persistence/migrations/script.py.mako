"""${message}."""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step forward."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Refuse: the schema only moves forward, and the copy made before each step is the way back."""
    raise NotImplementedError("the schema only moves forward; restore the copy that was made before the migration")
