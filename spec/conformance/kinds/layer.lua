-- Layers: outputs, gradients of sum(upstream * y), weights, masks, vocabularies, and for random
-- layers statistics over repeated calls.

local nn = require "nnlua"
local core = require "nnlua.core"
local mask = require "nnlua.mask"
local values = require "spec.conformance.values"

local function given(v) return v ~= nil and v ~= values.null end

-- building ----------------------------------------------------------------------------------------

local wrapped = {layer = true, cell = true, backward_layer = true, forward_layer = true}

local function make(name, config)
  local class = nn.layers[name]
  if not class then return nil, ("no keras.layers.%s yet"):format(name) end
  local out = values.config(config)
  for key in pairs(wrapped) do
    local inner = config[key]
    if type(inner) == "table" and inner.class_name then
      local made, missing = make(inner.class_name, inner.config)
      if not made then return nil, missing end
      out[key] = made
    end
  end
  local ok, layer = pcall(class, out)
  if ok then return layer end
  local text = tostring(layer)
  if text:find "unknown argument" or text:find "is not supported" then return nil, text end
  error(text, 0)
end

local function tensors(v)
  if values.is_tensor(v) then return values.tensor(v) end
  local out = {}
  for i, one in ipairs(v) do out[i] = given(one) and values.tensor(one) or false end
  return out
end

local function shape_of(x)
  if core.is_tensor(x) then return x.shape end
  local out = {}
  for i, one in ipairs(x) do out[i] = one and one.shape or false end
  return out
end

local function is_text(x) return type(x) == "table" and not core.is_tensor(x[1]) end

local function build(layer, x)
  if not is_text(x) then layer:ensure_built(shape_of(x)) end
end

local function set_weights(layer, list)
  if #list == 0 then return end
  local given_values = {}
  for i, w in ipairs(list) do given_values[i] = values.tensor(w) end
  layer:set_weights(given_values)
end

local function context_of(inputs)
  local ctx = {training = inputs.training}
  for _, name in ipairs {"mask", "query_mask", "value_mask", "key_mask", "attention_mask"} do
    local v = inputs[name]
    if given(v) then ctx[name] = tensors(v) end
  end
  if given(inputs.initial_state) then ctx.initial_state = tensors(inputs.initial_state) end
  for name, v in pairs(inputs.call or {}) do ctx[name] = values.object(v) end
  return ctx
end

-- checks ------------------------------------------------------------------------------------------

local function same_list(what, got, want)
  if #got ~= #want then return ("%s: %d of them, expected %d"):format(what, #got, #want) end
  for i = 1, #want do
    if got[i] ~= want[i] then
      return ("%s[%d] is %s, expected %s"):format(what, i, tostring(got[i]), tostring(want[i]))
    end
  end
end

local function check_weight_names(layer, want)
  local list = layer.weights
  if #list ~= #want then
    return ("expected.weights: %d weights, expected %d"):format(#list, #want)
  end
  for i, w in ipairs(want) do
    if list[i].name ~= w.name then
      return ("expected.weights[%d]: '%s', expected '%s'"):format(i, list[i].name, w.name)
    end
    local d = same_list(("shape of weight %s"):format(w.name), list[i].shape, w.shape)
    if d then return d end
  end
end

-- Lists of tensors or one: `path: what differs` or nil.
local function compare(path, got, want, tolerance)
  if want == nil then return nil end
  if want == values.null or values.is_tensor(want) then
    local d = values.differs(got, want, tolerance)
    return d and path .. ": " .. d
  end
  for i, one in ipairs(want) do
    local d = compare(("%s[%d]"):format(path, i), type(got) == "table" and got[i] or nil, one,
      tolerance)
    if d then return d end
  end
end

-- The shape of what a text lookup gives is that of the nested table.
local function check_shape(y, want)
  if core.is_tensor(y) then return same_list("expected.output_shape", y.shape, want) end
  local shape, at = {}, y
  while type(at) == "table" and not core.is_tensor(at) do
    shape[#shape + 1] = #at
    at = at[1]
  end
  return same_list("expected.output_shape", shape, want)
end

local function check_output_shapes(y, want)
  if type(want[1]) ~= "table" then return check_shape(y, want) end
  for i, one in ipairs(want) do
    local d = check_shape(y[i], one)
    if d then return d end
  end
end

-- gradients ---------------------------------------------------------------------------------------

local function sum_of(y, upstream)
  if core.is_tensor(y) then return nn.ops.sum(y * upstream) end
  local total
  for i, one in ipairs(y) do
    if upstream[i] then
      local part = nn.ops.sum(one * upstream[i])
      total = total and total + part or part
    end
  end
  return total
end

local function flat_tensors(v, list)
  if core.is_tensor(v) then
    list[#list + 1] = v
  elseif type(v) == "table" then
    for _, one in ipairs(v) do if one then flat_tensors(one, list) end end
  end
  return list
end

-- The list of gradients in the structure of `like`. A float input that y does not depend on has the
-- gradient zero.
local function take_back(like, of)
  if core.is_tensor(like) then
    return of[like] or (of[like] == false and core.full(like.shape, 0)) or nil
  end
  local out = {}
  for i, one in ipairs(like) do out[i] = one and take_back(one, of) end
  return out
end

local function is_float(t) return t.dtype == "float32" end

local function check_gradients(layer, x, ctx, case)
  local expected = case.expected
  if expected.dx == nil and expected.dweights == nil then return end
  local upstream, wanted = tensors(case.inputs.upstream), {}
  for _, t in ipairs(flat_tensors(x, {})) do if is_float(t) then wanted[#wanted + 1] = t end end
  for _, t in ipairs(flat_tensors(ctx.initial_state or {}, {})) do wanted[#wanted + 1] = t end
  for _, w in ipairs(layer.trainable_weights) do
    if is_float(w.tensor) then wanted[#wanted + 1] = w.tensor end
  end
  local _, grads = nn.value_and_grad(function()
    return sum_of(layer(x, ctx), upstream)
  end, wanted)
  local of = {}
  for i, t in ipairs(wanted) do of[t] = grads[i] end
  local d = not is_text(x) and compare("expected.dx", take_back(x, of), expected.dx, case.tolerance)
  if d then return d end
  if expected.dinitial_state then
    d = compare("expected.dinitial_state", take_back(ctx.initial_state, of),
      expected.dinitial_state, case.tolerance)
    if d then return d end
  end
  local by_weight = {}
  for i, w in ipairs(layer.weights) do by_weight[i] = of[w.tensor] or false end
  return compare("expected.dweights", by_weight, expected.dweights, case.tolerance)
end

-- statistics --------------------------------------------------------------------------------------

local function near(list, v)
  for _, w in ipairs(list) do
    if math.abs(v - values.number(w)) <= 1e-5 + 1e-5 * math.abs(w) then return true end
  end
  return false
end

-- Every slice along that axis holds one value.
local function is_constant(t, axis)
  local spread = nn.ops.max(t, {axis = axis}) - nn.ops.min(t, {axis = axis})
  return nn.ops.max(nn.ops.abs(spread)):item() < 1e-6
end

local function check_draw(y, want, sums)
  for _, v in ipairs(core.totable(core.reshape(y, {y.size}))) do
    sums.n, sums.sum, sums.square = sums.n + 1, sums.sum + v, sums.square + v * v
    if v == 0 then sums.zeros = sums.zeros + 1 end
    if given(want.values) and not near(want.values, v) then
      return ("statistics.values: %.9g is none of them"):format(v)
    end
  end
  for _, axis in ipairs(want.constant_axes or {}) do
    if not is_constant(y, axis >= 0 and axis + 1 or axis) then
      return ("statistics.constant_axes: values differ along axis %d"):format(axis)
    end
  end
end

local function check_statistics(layer, x, ctx, case)
  local want = case.expected.statistics
  local sums = {n = 0, sum = 0, square = 0, zeros = 0}
  for _ = 1, case.inputs.repeats or 1 do
    local d = check_draw(layer(x, ctx), want, sums)
    if d then return d end
  end
  local mean = sums.sum / sums.n
  local got = {mean = mean, std = math.sqrt(math.max(sums.square / sums.n - mean * mean, 0)),
    zero_fraction = sums.zeros / sums.n}
  for _, name in ipairs {"mean", "std", "zero_fraction"} do
    local pair = want[name]
    if given(pair) and math.abs(got[name] - pair[1]) > pair[2] then
      return ("statistics.%s is %.6g, expected %s within %s"):format(name, got[name], pair[1],
        pair[2])
    end
  end
end

-- one case ----------------------------------------------------------------------------------------

local function check_vocabulary(layer, want)
  if not want then return end
  return same_list("expected.vocabulary", layer:get_vocabulary(), want)
end

local function check_call(layer, x, ctx, case)
  local expected = case.expected
  local y
  for _ = 1, case.inputs.repeats or 1 do y = layer(x, ctx) end
  local d = check_output_shapes(y, expected.output_shape)
    or compare("expected.y", y, expected.y, case.tolerance)
  if d then return d end
  if expected.mask ~= nil then
    local m = core.is_tensor(y) and mask.get(y) or nil
    d = compare("expected.mask", m, expected.mask, case.tolerance)
    if d then return d end
  end
  if expected.after_weights then
    local after = {}
    for i, w in ipairs(layer.weights) do after[i] = w.tensor end
    return compare("expected.after_weights", after, expected.after_weights, case.tolerance)
  end
end

return function(case)
  local layer, missing = make(case.name, case.config)
  if not layer then return nil, missing end
  local inputs, expected = case.inputs, case.expected
  local x = tensors(inputs.x)
  if given(inputs.adapt) then layer:adapt(tensors(inputs.adapt)) end
  build(layer, x)
  local d = check_weight_names(layer, expected.weights)
  if d then return d end
  set_weights(layer, inputs.weights)
  local ctx = context_of(inputs)
  d = check_vocabulary(layer, expected.vocabulary)
  if d then return d end
  if expected.statistics then return check_statistics(layer, x, ctx, case) end
  d = check_call(layer, x, ctx, case)
  if d then return d end
  set_weights(layer, inputs.weights) -- the call may have moved statistics
  return check_gradients(layer, x, ctx, case)
end
