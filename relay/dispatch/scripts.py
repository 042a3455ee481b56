"""The queue's atomic steps, as Lua that Redis 7 and Valkey run.

KEYS of every script, all in one hash slot: stream, index, delayed, dead, dead records, asleep, strata, ignored.
The index says where each job id is: the stream entry `n-n`, `delayed`, `asleep`, `dead` (asleep with the label, or not to be
tried at all) or `ignored`; an id in it is not added again while it is there.
"""

_KNOWN = """
-- Where an id is, false for nowhere. Trimming a stream takes its oldest entries, eviction takes whole keys: an id whose
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
  if place == 'asleep' then return redis.call('ZSCORE', KEYS[6], id) and place end
  if place == 'ignored' then return redis.call('ZSCORE', KEYS[8], id) and place end
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
    local entry = redis.call('XADD', KEYS[1], '*', 'id', ARGV[i], 'record', ARGV[i + 1],
      'attempts', '0', 'probes', '0')
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
-- ARGV: now in ms, limit. Moves due members back to the stream. Members are JSON objects of id, record, attempts, probes, reason.
local due = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do
  local ok, job = pcall(cjson.decode, member)
  redis.call('ZREM', KEYS[3], member)
  if ok and type(job) == 'table' and redis.call('HGET', KEYS[2], job.id) == 'delayed' then
    local entry = redis.call('XADD', KEYS[1], '*', 'id', job.id, 'record', job.record,
      'attempts', job.attempts, 'probes', job.probes or '0', 'reason', job.reason)
    redis.call('HSET', KEYS[2], job.id, entry)
  end
end
return #due
"""

_LEAVE = """
-- Forget where a letter is; its index is the caller's to set.
local function leave(id)
  for _, key in ipairs({4, 6, 8}) do redis.call('ZREM', KEYS[key], id) end
  redis.call('HDEL', KEYS[5], id)
  redis.call('HDEL', KEYS[7], id)
end
"""

SLEEP = (
    _LEAVE
    + """
-- ARGV: group, entry (empty: the job is asleep already), id, due in ms (empty: never), letter, stratum, now in ms, label
-- (1 or 0), most letters. Does nothing if the id is elsewhere by now. The oldest letters beyond the bound are forgotten.
local id = ARGV[3]
if ARGV[2] == '' then
  if not redis.call('ZSCORE', KEYS[6], id) then return 0 end
else
  local place = redis.call('HGET', KEYS[2], id)
  if place and place ~= ARGV[2] and place ~= 'asleep' and place ~= 'dead' then return 0 end
  redis.pcall('XACK', KEYS[1], ARGV[1], ARGV[2])
  redis.call('XDEL', KEYS[1], ARGV[2])
end
local labelled = redis.call('ZSCORE', KEYS[4], id)
if ARGV[8] == '1' then
  if not labelled then redis.call('ZADD', KEYS[4], ARGV[7], id) end
  redis.call('HSET', KEYS[2], id, 'dead')
else
  redis.call('ZREM', KEYS[4], id)
  redis.call('HSET', KEYS[2], id, 'asleep')
end
if ARGV[4] ~= '' then redis.call('ZADD', KEYS[6], ARGV[4], id) end
redis.call('HSET', KEYS[5], id, ARGV[5])
redis.call('HSET', KEYS[7], id, ARGV[6])
for _, key in ipairs({4, 6}) do
  local excess = redis.call('ZCARD', KEYS[key]) - tonumber(ARGV[9])
  if excess > 0 then
    for _, old in ipairs(redis.call('ZRANGE', KEYS[key], 0, excess - 1)) do
      leave(old)
      redis.call('HDEL', KEYS[2], old)
    end
  end
end
return 1
"""
)

PICK = """
-- ARGV: now in ms, limit, leased until in ms. Due letters, one of each stratum after the other, so that no kind of job
-- hides another; those due for longest first. Each is leased: nobody else gets it before. Returns id, letter, id, letter, …
local due = redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', ARGV[1], 'LIMIT', 0, 20000)
local order, by_stratum = {}, {}
for _, id in ipairs(due) do
  local stratum = redis.call('HGET', KEYS[7], id) or ''
  if not by_stratum[stratum] then
    by_stratum[stratum] = {}
    order[#order + 1] = stratum
  end
  table.insert(by_stratum[stratum], id)
end
local answer, limit, row = {}, 2 * tonumber(ARGV[2]), 1
local found = true
while found and #answer < limit do
  found = false
  for _, stratum in ipairs(order) do
    local id = by_stratum[stratum][row]
    if id and #answer < limit then
      found = true
      redis.call('ZADD', KEYS[6], ARGV[3], id)
      answer[#answer + 1] = id
      answer[#answer + 1] = redis.call('HGET', KEYS[5], id) or ''
    end
  end
  row = row + 1
end
return answer
"""

WAKE = (
    _LEAVE
    + """
-- ARGV: (id, record, attempts, probes) of letters. Each goes back to the stream, unless it is ignored or gone by now.
-- Returns how many did.
local woken = 0
for i = 1, #ARGV, 4 do
  local id = ARGV[i]
  if redis.call('ZSCORE', KEYS[6], id) or redis.call('ZSCORE', KEYS[4], id) then
    leave(id)
    local entry = redis.call('XADD', KEYS[1], '*', 'id', id, 'record', ARGV[i + 1],
      'attempts', ARGV[i + 2], 'probes', ARGV[i + 3])
    redis.call('HSET', KEYS[2], id, entry)
    woken = woken + 1
  end
end
return woken
"""
)

FORGET = (
    _LEAVE
    + """
-- ARGV: ids. Letters are forgotten, so that their jobs may be enqueued anew.
for _, id in ipairs(ARGV) do
  local place = redis.call('HGET', KEYS[2], id)
  if place == 'asleep' or place == 'dead' then
    leave(id)
    redis.call('HDEL', KEYS[2], id)
  end
end
return 1
"""
)

IGNORE = """
-- ARGV: id, now in ms, group, entry (empty: it is a letter), letter (of a job in work). It is never tried, and stays known.
local id = ARGV[1]
if ARGV[4] == '' then
  local place = redis.call('HGET', KEYS[2], id)
  if place ~= 'asleep' and place ~= 'dead' then return 0 end
else
  redis.pcall('XACK', KEYS[1], ARGV[3], ARGV[4])
  redis.call('XDEL', KEYS[1], ARGV[4])
  redis.call('HSET', KEYS[5], id, ARGV[5])
end
redis.call('ZREM', KEYS[4], id)
redis.call('ZREM', KEYS[6], id)
redis.call('ZADD', KEYS[8], ARGV[2], id)
redis.call('HSET', KEYS[2], id, 'ignored')
return 1
"""

HEED = """
-- ARGV: id, record. An ignored job goes back to the stream.
if redis.call('ZREM', KEYS[8], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[5], ARGV[1])
redis.call('HDEL', KEYS[7], ARGV[1])
local entry = redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], 'record', ARGV[2], 'attempts', '0', 'probes', '0')
redis.call('HSET', KEYS[2], ARGV[1], entry)
return 1
"""
