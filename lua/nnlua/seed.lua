-- The process generator: where every object without a seed of its own draws one.
--
-- Number k of the sequence is a function of the process seed and k alone, so what a script makes in
-- the same order after set_random_seed is the same.

local core = require "nnlua.core"
local err = require "nnlua.err"

local seed = {}

local STREAM = 0x5eed -- no other use draws from this stream

local process, count

-- Without set_random_seed every run is different.
local function start()
  local entropy = os.time() * 1000003 ~ math.random(0, 0x7fffffff)
  process, count = entropy & 0x7fffffff, 0
end

--- Makes everything random that follows repeatable: initial weights, dropout, shuffling.
---@param n integer
function seed.set_random_seed(n)
  if type(n) == "table" then n = n.seed or n[1] end
  if math.tointeger(n) == nil then
    err.raise("set_random_seed: seed is %s, expected an integer", err.show(n))
  end
  process, count = math.tointeger(n), 0
  core.restart_draws()
end

--- The next integer of the process generator: 0 to 2^31 - 2.
---@return integer
function seed.next()
  if not process then start() end
  count = count + 1
  return core.rng.randint({}, 0, 0x7fffffff, process, STREAM, count):item()
end

--- Where the sequence stands, for checkpoints: seed.restore(seed.state()) goes on from there.
function seed.state()
  if not process then start() end
  return {seed = process, count = count}
end

function seed.restore(state) process, count = state.seed, state.count end

return seed
