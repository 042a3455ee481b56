"""The queue's atomic steps, as Lua that Redis 7 and Valkey run.

KEYS of every script, all in one hash slot: stream, index, delayed, dead, dead records.
The index says where each job id is: the stream entry `n-n`, `delayed`, or `dead`; an id in it is not added again while it
is there.
"""

_KNOWN = """
-- Where an id is, false for nowhere. Who trims a stream takes its oldest entries, who evicts takes whole keys: an id whose
-- job went that way would be known for ever, and never worked on. Jobs in work are entries of the stream too.
local function numbers(entry)
  local first, second = string.match(entry, '^(%d+)%-(%d+)$')
  return tonumber(first), tonumber(second)
end
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local oldest_ms, oldest_number = numbers(oldest and oldest[1] or '9007199254740991-0')
local function known(id)
  local place = redis.call('HGET', KEYS[2], id)
  if place == 'dead' then return redis.call('ZSCORE', KEYS[4], id) and place end
  if place == 'delayed' then return redis.call('EXISTS', KEYS[3]) == 1 and place end
  if not place then return false end
  local ms, number = numbers(place)
  return ms and (ms > oldest_ms or (ms == oldest_ms and number >= oldest_number)) and place
end
"""

STATES = (
    _KNOWN
    + """
-- ARGV: ids. Returns where each one is.
local answer = {}
for i = 1, #ARGV do
  answer[i] = known(ARGV[i]) or false
end
return answer
"""
)

ENQUEUE = (
    _KNOWN
    + """
-- ARGV: capacity, then (id, record) pairs. Returns one number a pair: 1 added, 0 known, -1 full.
local waiting = redis.call('XLEN', KEYS[1]) + redis.call('ZCARD', KEYS[3])
local capacity = tonumber(ARGV[1])
local answer = {}
for i = 2, #ARGV, 2 do
  if known(ARGV[i]) then
    answer[#answer + 1] = 0
  elseif waiting >= capacity then
    answer[#answer + 1] = -1
  else
    local entry = redis.call('XADD', KEYS[1], '*', 'id', ARGV[i], 'record', ARGV[i + 1], 'attempts', '0')
    redis.call('HSET', KEYS[2], ARGV[i], entry)
    waiting = waiting + 1
    answer[#answer + 1] = 1
  end
end
return answer
"""
)

SETTLE = """
-- ARGV: group, then (entry, id) pairs. The id is forgotten only if it still means this entry.
for i = 2, #ARGV, 2 do
  redis.pcall('XACK', KEYS[1], ARGV[1], ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
  if redis.call('HGET', KEYS[2], ARGV[i + 1]) == ARGV[i] then redis.call('HDEL', KEYS[2], ARGV[i + 1]) end
end
return 1
"""

RETRY = """
-- ARGV: group, entry, id, due in ms, delayed member. Does nothing if the id is elsewhere by now.
if redis.call('HGET', KEYS[2], ARGV[3]) ~= ARGV[2] then return 0 end
redis.pcall('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[5])
redis.call('HSET', KEYS[2], ARGV[3], 'delayed')
return 1
"""

PROMOTE = """
-- ARGV: now in ms, limit. Moves due members back to the stream. Members are JSON objects of id, record, attempts, reason.
local due = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do
  local ok, job = pcall(cjson.decode, member)
  redis.call('ZREM', KEYS[3], member)
  if ok and type(job) == 'table' and redis.call('HGET', KEYS[2], job.id) == 'delayed' then
    local entry = redis.call('XADD', KEYS[1], '*', 'id', job.id, 'record', job.record,
      'attempts', job.attempts, 'reason', job.reason)
    redis.call('HSET', KEYS[2], job.id, entry)
  end
end
return #due
"""

BURY = """
-- ARGV: group, entry, id, now in ms, dead record, most dead letters. Oldest dead letters beyond the bound are forgotten.
redis.pcall('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[3], 'dead')
redis.call('ZADD', KEYS[4], ARGV[4], ARGV[3])
redis.call('HSET', KEYS[5], ARGV[3], ARGV[5])
local excess = redis.call('ZCARD', KEYS[4]) - tonumber(ARGV[6])
if excess > 0 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[4], 0, excess - 1)) do
    redis.call('ZREM', KEYS[4], id)
    redis.call('HDEL', KEYS[5], id)
    redis.call('HDEL', KEYS[2], id)
  end
end
return 1
"""

REVIVE = """
-- ARGV: id, record, attempts. A dead letter goes back to the stream.
if redis.call('ZREM', KEYS[4], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[5], ARGV[1])
local entry = redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], 'record', ARGV[2], 'attempts', ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], entry)
return 1
"""

FORGET = """
-- ARGV: id. A dead letter is forgotten, so that its job may be enqueued anew.
if redis.call('ZREM', KEYS[4], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[5], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
"""
