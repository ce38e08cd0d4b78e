-- An op: its values, and the gradients of sum(upstream * y) for its arguments.
--
-- Axes and positions count from 0 in the cases and from 1 here; class and segment ids are data.

local nn = require "nnlua"
local core = require "nnlua.core"
local values = require "spec.conformance.values"

-- Arguments that are axes.
local axis_arguments = {axis = true, axis1 = true, axis2 = true, source = true, destination = true,
  axisa = true, axisb = true, axisc = true}
local axes_arguments = {transpose = true, rot90 = true, moments = true, expand_dims = true}
-- Arguments (by name or place) and results (by place) that are positions.
local position_arguments = {
  take = {[2] = true, indices = true}, take_along_axis = {[2] = true, indices = true},
  scatter = {[1] = true, indices = true}, slice = {start_indices = true},
}
local position_results = {
  argmax = {true}, argmin = {true}, argsort = {true}, top_k = {false, true}, searchsorted = {true},
}
-- Ops that take their arguments in positions alone.
local variadic = {einsum = true, meshgrid = true}

local function plus_one(v)
  if type(v) ~= "table" then return type(v) == "number" and v >= 0 and v + 1 or v end
  local out = {}
  for i, item in ipairs(v) do out[i] = plus_one(item) end
  return out
end

local function shifted(case)
  return {dtype = case.dtype, shape = case.shape, data = plus_one(case.data)}
end

-- An argument; the tensors in it are added to `leaves`.
local function argument(v, shift, leaves)
  if v == values.null then return nn.None end
  if values.is_tensor(v) then
    local t = values.tensor(shift and shifted(v) or v)
    leaves[#leaves + 1] = t
    return t
  elseif type(v) == "table" then
    local out = {}
    for i, item in ipairs(v) do out[i] = argument(item, shift, leaves) end
    return out
  end
  return shift and plus_one(v) or v
end

local function config_value(op, name, v)
  if v == values.null then return nn.None end
  local axes = name == "axes" and (axes_arguments[op] or op == "tensordot" and type(v) == "table")
  local shift = axes or axis_arguments[name] or (position_arguments[op] or {})[name]
  return shift and plus_one(v) or v
end

-- The call as one record, and its tensors in order.
local function record_of(case)
  local record, leaves = {}, {}
  local positions = position_arguments[case.name] or {}
  for i, v in ipairs(case.inputs.args) do record[i] = argument(v, positions[i], leaves) end
  for name, v in pairs(case.config) do record[name] = config_value(case.name, name, v) end
  if case.name == "einsum" then
    table.insert(record, 1, record.subscripts)
    record.subscripts = nil
  end
  return record, leaves
end

-- The results of the call as a list.
local function call(case, record)
  local fn = nn.ops[case.name]
  local results = variadic[case.name] and table.pack(fn(table.unpack(record)))
    or table.pack(fn(record))
  if results.n == 1 and type(results[1]) == "table" then return results[1] end
  return results
end

local function check(got, want, tolerance, what)
  local d = values.differs(got, want, tolerance)
  if d then return what .. ": " .. d end
  if core.is_tensor(got) and got.dtype ~= want.dtype then
    return ("%s: %s, expected %s"):format(what, got.dtype, want.dtype)
  end
end

local function check_values(case, results)
  local want = case.expected.y
  if values.is_tensor(want) then want = {want} end
  local positions = position_results[case.name] or {}
  for i, w in ipairs(want) do
    local d = check(results[i], positions[i] and shifted(w) or w, case.tolerance, "expected.y")
    if d then return d end
  end
end

-- sum(upstream * y) over the results.
local function weighted(case, results)
  local upstream, total = case.inputs.upstream, nil
  if values.is_tensor(upstream) then upstream = {upstream} end
  for i, y in ipairs(results) do
    if core.is_tensor(y) and y.dtype == "float32" and values.is_tensor(upstream[i]) then
      local part = nn.ops.sum(nn.ops.multiply(y, values.tensor(upstream[i])))
      total = total and total + part or part
    end
  end
  return total
end

-- The gradients of a case in the order of its tensors; null where nothing flows.
local function flatten(v, list)
  if v == values.null or values.is_tensor(v) or type(v) ~= "table" then
    list[#list + 1] = v
  else
    for _, item in ipairs(v) do flatten(item, list) end
  end
  return list
end

local function check_gradients(case, record, leaves)
  if not case.inputs.upstream or not case.expected.dargs then return nil end
  local want, floats = flatten(case.expected.dargs, {}), {}
  if #want ~= #leaves then
    return ("%d gradients for %d tensors"):format(#want, #leaves)
  end
  for _, t in ipairs(leaves) do if t.dtype == "float32" then floats[#floats + 1] = t end end
  local _, gradients = nn.value_and_grad(function()
    return weighted(case, call(case, record))
  end, floats)
  local at = 0
  for i, t in ipairs(leaves) do
    if t.dtype == "float32" then
      at = at + 1
      local got = gradients[at]
      if want[i] ~= values.null then
        local d = check(got or core.full(t.shape, 0), want[i], case.tolerance,
          "expected.dargs " .. i)
        if d then return d end
      elseif got and nn.ops.any(nn.ops.not_equal(got, 0)):item() ~= 0 then
        return ("expected.dargs %d: a gradient, expected none"):format(i)
      end
    end
  end
end

return function(case)
  if type(nn.ops[case.name]) ~= "function" then
    return nil, ("no keras.ops.%s yet"):format(case.name)
  end
  local record, leaves = record_of(case)
  return check_values(case, call(case, record)) or check_gradients(case, record, leaves)
end
