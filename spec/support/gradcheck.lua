-- Gradients against central differences.
--
--     gradcheck(function(x, y) return nn.ops.matmul(x, y) end, {x, y})
--
-- f gives one float32 tensor or several. The loss is sum(w * y) with weights of different sizes, so
-- that misplaced gradients show; differences are added up in double. A plan of the traced f must
-- give the same gradients. Raises where an element is off.

local nn = require "nnlua"
local core = require "nnlua.core"

local function weight(k) return 0.5 + (k * 0.61803398875 % 1) end

local function outputs(f, inputs)
  local packed = table.pack(f(table.unpack(inputs)))
  if packed.n == 1 and type(packed[1]) == "table" then
    packed = table.pack(table.unpack(packed[1]))
  end
  return packed
end

local function weights_like(y, first)
  if y.size == 0 then return core.full(y.shape, 0) end
  local list = {}
  for k = 1, y.size do list[k] = weight(first + k) end
  return core.reshape(core.new(list), y.shape)
end

-- The loss as a tensor, for value_and_grad.
local function loss_tensor(f, inputs)
  local total, first = nil, 0
  for _, y in ipairs(outputs(f, inputs)) do
    if y.dtype == "float32" then
      local part = nn.ops.sum(nn.ops.multiply(y, weights_like(y, first)))
      total, first = total and total + part or part, first + y.size
    end
  end
  return total
end

-- The loss in double.
local function loss_number(f, inputs)
  local total, first = 0.0, 0
  for _, y in ipairs(outputs(f, inputs)) do
    if y.dtype == "float32" and y.size > 0 then
      for k, v in ipairs(core.totable(core.reshape(y, {y.size}))) do
        total = total + v * weight(first + k)
      end
      first = first + y.size
    end
  end
  return total
end

local function difference(f, inputs, flat, k, step)
  local old = flat[k]
  flat[k] = old + step
  local high, above = loss_number(f, inputs), flat[k]
  flat[k] = old - step
  local low, below = loss_number(f, inputs), flat[k]
  flat[k] = old
  return (high - low) / (above - below)
end

-- f traced and planned, run twice: the same gradients as at once.
local function check_plan(f, copies, floats, gradients)
  local graph, wants = core.record "trace", {}
  local ok, loss = pcall(loss_tensor, f, copies)
  core.done(graph)
  if not ok then error(loss, 0) end
  for i, x in ipairs(floats) do wants[i] = {x, core.full(x.shape, 0)} end
  local plan = core.plan(graph, {loss = loss, outputs = {loss}, wants = wants})
  for _ = 1, 2 do
    plan:forward()
    plan:backward()
    for i, x in ipairs(floats) do
      local a = gradients[i] and core.tobytes(gradients[i])
      if a and a ~= core.tobytes(wants[i][2]) then
        error(("the plan's gradient of input %d is %s, at once it is %s"):format(i,
          tostring(wants[i][2]), tostring(gradients[i])), 0)
      end
      assert(x.size == wants[i][2].size)
    end
  end
  plan:close()
end

--- opts: step (1e-2), rtol (1e-3), atol (1e-3), traced (true: checks the plan too).
return function(f, inputs, opts)
  opts = opts or {}
  local step, rtol, atol = opts.step or 1e-2, opts.rtol or 1e-3, opts.atol or 1e-3
  local copies, floats = {}, {}
  for i, x in ipairs(inputs) do
    copies[i] = core.is_tensor(x) and core.astype(x) or x
    if core.is_tensor(x) and x.dtype == "float32" then floats[#floats + 1] = copies[i] end
  end
  local _, gradients = nn.value_and_grad(function() return loss_tensor(f, copies) end, floats)
  if opts.traced ~= false then check_plan(f, copies, floats, gradients) end
  for i, x in ipairs(floats) do
    local flat = core.reshape(x, {x.size})
    local got = gradients[i] and core.totable(core.reshape(gradients[i], {x.size}))
    for k = 1, x.size do
      local want, g = difference(f, copies, flat, k, step), got and got[k] or 0
      local off = math.abs(g - want)
      if off ~= off or off > atol + rtol * math.abs(want) then
        error(("gradient %d of input %d is %.6g, by differences %.6g"):format(k, i, g, want), 2)
      end
    end
  end
end
