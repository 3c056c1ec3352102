"""The three things done to Redis, each in one step there (Lua), and the two names they are done to.

`lease` holds the id of who asks upstream, and ends by itself. `board` holds what was accepted last: `generation`, `digest`,
`content` (sealed), `confirmed` (changes whenever upstream was heard to have it still) and `tried` (whenever upstream is asked).
"""

from __future__ import annotations

from typing import Final

BOARD_S: Final = 30 * 86_400
"""A set that nobody has confirmed for so long is forgotten: the project has gone from every configuration."""


def names_of(prefix: str, project: str) -> tuple[str, str]:
    """Return the names of lease and board; the braces keep both on one node of a cluster."""
    return f"{prefix}:definitions:{{{project}}}:lease", f"{prefix}:definitions:{{{project}}}:board"


TURN: Final = """
local holder = redis.call('GET', KEYS[1])
local is_mine = 0
if ARGV[3] == '1' then
  if not holder then
    redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
    is_mine = 1
  elseif holder == ARGV[1] then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    is_mine = 1
  end
end
if is_mine == 1 and ARGV[4] ~= '' then
  redis.call('HSET', KEYS[2], 'tried', ARGV[4])
  redis.call('PEXPIRE', KEYS[2], ARGV[5])
end
local board = redis.call('HMGET', KEYS[2], 'generation', 'digest', 'confirmed', 'tried')
return {is_mine, board[1] or '0', board[2] or '', board[3] or '', board[4] or ''}
"""
"""Take or renew the lease, if ARGV[3] allows, and look at the board. ARGV: me, ms, may take, stamp of a try, board's ms."""

POST: Final = """
local is_decided = ARGV[2] == '1'
if not is_decided and redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'not_leader' end
local board = redis.call('HMGET', KEYS[2], 'generation', 'digest')
local generation = tonumber(board[1] or '0')
if ARGV[5] == '' then
  if board[2] ~= ARGV[4] then return 'unknown' end
else
  local wanted = tonumber(ARGV[3])
  if generation > wanted or (generation == wanted and board[2] ~= ARGV[4]) then return 'outdated' end
  redis.call('HSET', KEYS[2], 'generation', ARGV[3], 'digest', ARGV[4], 'content', ARGV[5])
end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[2], 'confirmed', ARGV[6]) end
redis.call('PEXPIRE', KEYS[2], ARGV[7])
return 'done'
"""
"""Post a set (ARGV[5] empty: only say that it still holds). ARGV: me, decided, generation, digest, content, stamp, board's ms.

A generation never takes a later one's place, and nobody but the holder of the lease (or an operator) posts: whoever was stopped
in the middle of a poll and wakes up after the lease went to another is refused.
"""

REST: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], 'resting', 'PX', ARGV[2])
  return 1
end
return 0
"""
"""After a poll that failed: let nobody ask for a while, and then somebody else. ARGV: me, ms."""
