"""The register's history"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('device_revisions',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('time_ms', sa.BigInteger(), nullable=False),
    sa.Column('device', sa.String(length=80), nullable=False),
    sa.Column('change', sa.String(length=16), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('after', sa.JSON(), nullable=False),
    sa.Column('who', sa.String(length=80), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_device_revisions'))
    )
    with op.batch_alter_table('device_revisions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_device_revisions_device'), ['device'], unique=False)

    op.create_table('register',
    sa.Column('device', sa.String(length=80), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('device', name=op.f('pk_register'))
    )


def downgrade() -> None:
    op.drop_table('register')
    with op.batch_alter_table('device_revisions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_device_revisions_device'))

    op.drop_table('device_revisions')
