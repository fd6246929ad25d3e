"""Sessions on the server, scopes and expiry of tokens, an audit with subject and address"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_SCOPES = {
    'viewer': '["read"]',
    'duty': '["duty", "read"]',
    'admin': '["admin", "duty", "read", "register"]',
}
_ACTS = {'signed in by link': 'signed_in_by_link', 'ordered a drill': 'drill_ordered'}


def upgrade() -> None:
    # Columns are added and dropped as such: to make "users" anew would break the links that refer to it.
    op.create_table('sessions',
    sa.Column('id', _ID, autoincrement=True, nullable=False),
    sa.Column('cookie_hash', sa.String(length=64), nullable=False),
    sa.Column('user_id', _ID, nullable=False),
    sa.Column('created_ms', sa.BigInteger(), nullable=False),
    sa.Column('last_used_ms', sa.BigInteger(), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.Column('device', sa.String(length=200), nullable=False),
    sa.Column('by_link', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_sessions_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sessions')),
    sa.UniqueConstraint('cookie_hash', name=op.f('uq_sessions_cookie_hash'))
    )
    op.create_index(op.f('ix_sessions_user_id'), 'sessions', ['user_id'])
    op.add_column('users', sa.Column('last_used_ms', sa.BigInteger(), nullable=True))
    op.drop_column('users', 'session_epoch')
    op.add_column('api_tokens', sa.Column('scopes', sa.JSON(), nullable=False, server_default='["read"]'))
    op.add_column('api_tokens', sa.Column('created_by', sa.String(length=80), nullable=False, server_default=''))
    op.add_column('api_tokens', sa.Column('expires_ms', sa.BigInteger(), nullable=True))
    op.add_column('api_tokens', sa.Column('disabled', sa.Boolean(), nullable=False, server_default=sa.false()))
    for role, scopes in _SCOPES.items():
        op.execute(f"UPDATE api_tokens SET scopes = '{scopes}' WHERE role = '{role}'")
    op.drop_column('api_tokens', 'role')
    op.add_column('audit', sa.Column('address', sa.String(length=64), nullable=False, server_default=''))
    op.add_column('audit', sa.Column('subject', sa.String(length=200), nullable=False, server_default=''))
    for before, after in _ACTS.items():
        op.execute(f"UPDATE audit SET what = '{after}' WHERE what = '{before}'")
    op.drop_table('secrets')  # held the key of signed cookies only


def downgrade() -> None:
    op.create_table('secrets',
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('value', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_secrets'))
    )
    op.drop_column('audit', 'subject')
    op.drop_column('audit', 'address')
    op.add_column('api_tokens', sa.Column('role', sa.String(length=16), nullable=False, server_default='viewer'))
    for column in ('disabled', 'expires_ms', 'created_by', 'scopes'):
        op.drop_column('api_tokens', column)
    op.add_column('users', sa.Column('session_epoch', sa.Integer(), nullable=False, server_default='0'))
    op.drop_column('users', 'last_used_ms')
    op.drop_table('sessions')
