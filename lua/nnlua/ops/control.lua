-- Control flow over tensors. Conditions and counts are read from real tensors: a loop that depends
-- on traced values cannot be traced. What runs a known number of times is traced unrolled.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local tree = require "nnlua.tree"
local common = require "nnlua.ops.common"

local M = {}

local function define(name, text, fn) M[name] = args.fn(name, text, fn) end

local function ops() return require "nnlua.ops" end

-- The truth of a Lua value or a real scalar tensor.
local function truth(op, v)
  if not core.is_tensor(v) then return v and v ~= 0 end
  common.eager_only(op, v)
  return core.item(v) ~= 0
end

local function whole(op, v)
  if not core.is_tensor(v) then return v end
  common.eager_only(op, v)
  return math.tointeger(core.item(v))
end

-- Traced conditions: both sides run, and each element is chosen.
local function choose(pred, a, b)
  local flat, at = tree.flatten(b), 0
  return tree.map(function(x)
    at = at + 1
    return ops().where(pred, x, flat[at])
  end, a)
end

define("cond", "pred, true_fn, false_fn", function(pred, true_fn, false_fn)
  if core.is_traced(pred) then return choose(pred, true_fn(), false_fn()) end
  if truth("cond", pred) then return true_fn() end
  return false_fn()
end)

--- switch(index, branches, ...): branches[index](...), index from 1; outside, the nearest one.
function M.switch(index, branches, ...)
  local at = whole("switch", index)
  return branches[math.max(1, math.min(at, #branches))](...)
end

--- Repeats loop_vars = body(loop_vars...) while cond(loop_vars...) holds.
define("while_loop", "cond, body, loop_vars, maximum_iterations=None",
  function(cond, body, vars, most)
    local single = type(vars) ~= "table" or getmetatable(vars) ~= nil
    local state, n = single and {vars} or vars, 0
    local count = #state
    while (not most or n < most) and truth("while_loop", cond(table.unpack(state, 1, count))) do
      local new = table.pack(body(table.unpack(state, 1, count)))
      if new.n == 1 and args.is_record(new[1]) then new = new[1] end
      state, n = new, n + 1
    end
    return single and state[1] or state
  end)

--- value = body(i, value) for i = lower .. upper - 1.
define("fori_loop", "lower, upper, body_fun, init_val", function(lower, upper, body, value)
  for i = whole("fori_loop", lower), whole("fori_loop", upper) - 1 do value = body(i, value) end
  return value
end)

-- Row i (from 1) of every tensor of a structure, without its first axis.
local function row(xs, i)
  return tree.map(function(x)
    local shape = x.shape
    table.remove(shape, 1)
    return common.reshape(common.part(x, 0, i - 1, 1), shape)
  end, xs)
end

local function stack(list)
  if #list == 0 then return nil end
  local flat = {}
  for i, item in ipairs(list) do flat[i] = tree.flatten(item) end
  local at = 0
  return tree.map(function()
    at = at + 1
    local same = {}
    for i = 1, #list do same[i] = flat[i][at] end
    return ops().stack(same)
  end, list[1])
end

local function length_of(op, xs, length)
  local first = tree.flatten(xs)[1]
  local n = first and first.shape[1] or length
  err.check(n, "%s: xs or length is missing", op)
  return n
end

--- carry, y = f(carry, x) over the rows of xs: the last carry and the stacked ys.
define("scan", "f, init, xs=None, length=None, reverse=False, unroll=1",
  function(f, carry, xs, length, reverse)
    xs = tree.map(common.tensor, xs)
    local n, ys = length_of("scan", xs, length), {}
    for step = 1, n do
      local i = reverse and n + 1 - step or step
      carry, ys[i] = f(carry, row(xs, i))
    end
    return carry, ys[1] ~= nil and stack(ys) or nil
  end)

define("map", "f, xs", function(f, xs)
  xs = tree.map(common.tensor, xs)
  local out = {}
  for i = 1, length_of("map", xs) do out[i] = f(row(xs, i)) end
  return stack(out)
end)

define("vectorized_map", "function, elements", function(f, xs) return M.map(f, xs) end)

--- f for tensors: applied to the elements of its (broadcast) arguments one by one.
define("vectorize", "pyfunc, excluded=None, signature=None", function(f)
  return function(...)
    local list = {...}
    for i, x in ipairs(list) do list[i] = common.tensor(x) end
    local sum = list[1]
    for i = 2, #list do sum = sum + list[i] end
    local shape = sum.shape
    for i, x in ipairs(list) do
      list[i] = common.reshape(common.broadcast_to(x, shape), {-1})
    end
    local out = {}
    for i = 1, common.product(shape) do out[i] = f(table.unpack(row(list, i))) end
    return common.reshape(ops().stack(out), shape)
  end
end)

--- The running results of an associative f along an axis.
define("associative_scan", "f, elems, reverse=False, axis=1", function(f, elems, reverse, axis)
  local front = tree.map(function(x) return ops().moveaxis(x, axis, 1) end, elems)
  local n, out = length_of("associative_scan", front), {}
  local last
  for step = 1, n do
    local i = reverse and n + 1 - step or step
    local here = row(front, i)
    last = last == nil and here or f(last, here)
    out[i] = last
  end
  return tree.map(function(x) return ops().moveaxis(x, 1, axis) end, stack(out))
end)

return M
