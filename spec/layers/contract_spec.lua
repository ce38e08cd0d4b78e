-- What holds for every layer: the inferred shape is the real one, a configuration makes the layer
-- again, gradients agree with central differences, equal seeds give equal bits, a model gives what
-- the layer gives, and batches may have one row or none.

local nn = require "nnlua"
local core = require "nnlua.core"
local rows = require "spec.layers.rows"

local function is_shape(s) return type(s[1]) == "number" end

-- inputs ------------------------------------------------------------------------------------------

-- Numbers in ±[0.15, 1.4] without order: away from the corners of relu and its kin.
local function fill(shape, dtype, start)
  local n = 1
  for _, d in ipairs(shape) do n = n * d end
  local list = {}
  for i = 1, n do
    local k = (i * 7 + start * 5) % 23
    if dtype == "int32" then
      list[i] = (i + start) % 4
    else
      list[i] = (0.15 + k * 0.055 + i * 0.001) * ((i * 3 + start) % 5 < 2 and -1 or 1)
    end
  end
  if n == 0 then return core.full(shape, 0, dtype or "float32") end
  return core.reshape(core.new(list, dtype or "float32"), shape)
end

local function inputs(row, batch)
  local function one(shape, i)
    shape = {table.unpack(shape)}
    shape[1] = batch or shape[1]
    return fill(shape, row.dtype, i)
  end
  if is_shape(row[3]) then return one(row[3], 1) end
  local list = {}
  for i, shape in ipairs(row[3]) do list[i] = one(shape, i * 4) end
  return list
end

local function make(name, arguments)
  local a = {}
  for key, v in pairs(arguments) do a[key] = v end
  for _, key in ipairs {"layer", "cell"} do
    if a[key] then a[key] = make(a[key][1], a[key][2]) end
  end
  return nn.layers[name](a)
end

local function make_row(row)
  nn.set_random_seed(11)
  return make(row[1], row[2])
end

local function label(row)
  local parts = {}
  for key, v in pairs(row[2]) do
    local text = type(v) == "table" and "{...}" or tostring(v)
    if type(v) ~= "function" then parts[#parts + 1] = ("%s=%s"):format(key, text) end
  end
  table.sort(parts)
  return ("%s{%s}"):format(row[1], table.concat(parts, ", "))
end

local function shape_of(x, unknown)
  local function one(t)
    local s = t.shape
    if unknown then s[1] = false end
    return s
  end
  if core.is_tensor(x) then return one(x) end
  local list = {}
  for i, t in ipairs(x) do list[i] = one(t) end
  return list
end

local function list_of(x) return core.is_tensor(x) and {x} or x end

local function flat(t) return core.totable(core.reshape(core.astype(t), {t.size})) end

local function each_row(title, check, wanted)
  describe(title, function()
    for _, row in ipairs(rows) do
      if not wanted or wanted(row) then it(label(row), function() check(row) end) end
    end
  end)
end

-- the rows ----------------------------------------------------------------------------------------

describe("the rows", function()
  it("name every layer that has a number to show", function()
    local seen = {}
    for _, row in ipairs(rows) do seen[row[1]] = true end
    local others = {Layer = true, InputLayer = true, Wrapper = true, StringLookup = true,
      TextVectorization = true, SimpleRNNCell = true, LSTMCell = true, GRUCell = true,
      StackedRNNCells = true}
    for _, name in ipairs(nn.layers.names()) do
      local class = name:find "^%u" and nn.layers[name]
      local known = type(class) ~= "table" or seen[class.class_name]
      if name:find "^%u" and not others[name] then
        assert.is_true(known or false, name .. " has no row")
      end
    end
  end)
end)

each_row("the inferred shape is the real one", function(row)
  local layer, x = make_row(row), inputs(row)
  local y = layer(x, {training = row.training})
  local want = y.shape
  want[1] = row[3][1] == nil and want[1] or false
  assert.same(want, layer:compute_output_shape(shape_of(x, true)))
end, function(row) return is_shape(row[3]) and #row[3] > 1 end)

each_row("a configuration makes the layer again", function(row)
  local layer, x = make_row(row), inputs(row)
  local y = layer(x)
  local again = nn.layers[row[1]].from_config(nn.layers[row[1]], layer:get_config())
  assert.equal(layer.name, again.name)
  again:ensure_built(shape_of(x))
  again:set_weights(layer:get_weights())
  assert.same(flat(y), flat(again(x)))
end, function(row) return row[1] ~= "Lambda" end)

-- Gradients ---------------------------------------------------------------------------------------

local function weighted(y, factors)
  local sum, list = 0, flat(y)
  for i = 1, #list do sum = sum + list[i] * factors[i] end
  return sum
end

-- d(sum of factors * y) / d(element i of t), by differences at two widths (Richardson).
local function difference(f, t, i)
  local view = core.reshape(t, {t.size})
  local at = view[i]
  local function slope(h)
    view[i] = at + h
    local up, high = f(), view[i]
    view[i] = at - h
    local down, low = f(), view[i]
    view[i] = at
    return (up - down) / (high - low)
  end
  local wide, narrow = slope(1 / 32), slope(1 / 64)
  return (4 * narrow - wide) / 3
end

local function check_gradient(row)
  local layer, x = make_row(row), inputs(row)
  local ctx = {training = row.training or false}
  local y = layer(x, ctx)
  local state = layer:get_weights()
  local factors = flat(fill({y.size}, "float32", 2))
  local upstream = core.reshape(core.new(factors), y.shape)
  local wanted = {}
  for _, t in ipairs(list_of(x)) do if t.dtype == "float32" then wanted[#wanted + 1] = t end end
  for _, w in ipairs(layer.trainable_weights) do wanted[#wanted + 1] = w.tensor end
  local _, grads = nn.value_and_grad(function() return nn.ops.sum(layer(x, ctx) * upstream) end,
    wanted)
  layer:set_weights(state)
  for k, t in ipairs(wanted) do
    local got = flat(grads[k])
    for i = 1, t.size do
      local want = difference(function() return weighted(layer(x, ctx), factors) end, t, i)
      local bound = (row.loose or 1e-3) * math.max(1, math.abs(want))
      if math.abs(got[i] - want) > bound then
        error(("gradient %d, element %d: %.6g, differences give %.6g"):format(k, i, got[i], want),
          0)
      end
    end
  end
end

each_row("the gradient agrees with central differences", check_gradient, function(row)
  return row.grad ~= false and not row.random
end)

-- Random layers -----------------------------------------------------------------------------------

local function is_random(row) return row.random end

each_row("the same seed draws the same bits, another seed others", function(row)
  local x = inputs(row)
  local function draw(seed)
    nn.set_random_seed(seed)
    local layer = make(row[1], row[2])
    local model = nn.Sequential{layer}
    local out = {}
    for k = 1, 3 do out[k] = flat(model(x, {training = true})) end
    return out
  end
  local a = draw(5)
  assert.are_not.same(a[1], a[2])
  assert.same(a, draw(5))
  local layer = make(row[1], {row[2][1], seed = 9})
  assert.equal(9, layer:get_config().seed)
  local y = flat(layer(x, {training = true}))
  assert.are_not.same(y, flat(make(row[1], {row[2][1], seed = 10})(x, {training = true})))
end, is_random)

each_row("without training they hand their input on", function(row)
  local layer, x = make_row(row), inputs(row)
  assert.same(flat(x), flat(layer(x)))
  assert.same(flat(x), flat(layer(x, {training = false})))
end, is_random)

-- In models ---------------------------------------------------------------------------------------

each_row("a functional model gives what the layer gives", function(row)
  local layer, x = make_row(row), inputs(row)
  local y = layer(x)
  local symbols = {}
  for i, t in ipairs(list_of(x)) do
    symbols[i] = nn.Input{shape = {table.unpack(t.shape, 2)}, dtype = row.dtype}
  end
  local given = is_shape(row[3]) and symbols[1] or symbols
  local model = nn.Model{inputs = given, outputs = layer(given)}
  assert.same(flat(y), flat(model(x)))
  assert.same(flat(y), flat(model:predict{x, verbose = 0}))
end)

each_row("batches of one row and of none have the right shape", function(row)
  local layer = make_row(row)
  layer(inputs(row))
  local rows_per_sample = layer(inputs(row, 1)).shape
  local none = layer(inputs(row, 0)).shape
  if #rows_per_sample == 0 or (#row[3] == 1) then return end
  assert.equal(1, rows_per_sample[1])
  rows_per_sample[1] = 0
  assert.same(rows_per_sample, none)
end)
