-- Ops on the places of elements, against plain loops over random shapes; gradients against
-- differences; messages.

local nn = require "nnlua"
local core = require "nnlua.core"
local failure = require "spec.support.failure"
local gradcheck = require "spec.support.gradcheck"

local ops, raises = nn.ops, failure.says

local function random(shape, seed)
  return nn.random.uniform(shape, {minval = -1, maxval = 1, seed = seed or 7})
end

local function same(want, got)
  assert.same(want, core.is_tensor(got) and core.totable(got) or got)
end

-- Calls f with every position of a shape.
local function each(shape, f)
  local at = {}
  local function level(d)
    if d > #shape then return f(at) end
    for i = 1, shape[d] do
      at[d] = i
      level(d + 1)
    end
  end
  level(1)
end


-- y[at] == x[from(at)] for every position.
local function check_places(y, x, from)
  local ty, tx = core.totable(y), core.totable(x)
  each(y.shape, function(at)
    local vy, vx = ty, tx
    for _, i in ipairs(at) do vy = vy[i] end
    for _, i in ipairs(from(at)) do vx = vx[i] end
    assert.equal(vx, vy)
  end)
end

math.randomseed(20)
local function random_shape(n)
  local shape = {}
  for i = 1, n do shape[i] = math.random(1, 4) end
  return shape
end

describe("places", function()
  it("transpose puts y[i...] where x has them in the given order", function()
    for _, order in ipairs {{1}, {2, 1}, {3, 1, 2}, {1, 3, 2}, {4, 2, 1, 3}, {2, 1, 4, 3}} do
      local x = random(random_shape(#order))
      check_places(ops.transpose(x, order), x, function(at)
        local from = {}
        for i, a in ipairs(order) do from[a] = at[i] end
        return from
      end)
    end
    local wide = random({37, 53})
    check_places(ops.transpose(wide), wide, function(at) return {at[2], at[1]} end)
  end)

  it("slices with steps, forwards and backwards", function()
    local x = random({7, 5})
    check_places(ops.slice_ranges(x, {{2, 7, 2}, {5, 1, -1}}), x, function(at)
      return {2 + 2 * (at[1] - 1), 6 - at[2]}
    end)
    same({0, 5}, ops.slice_ranges(x, {{3, 2}}).shape)
    check_places(ops.slice(x, {3, 2}, {2, 3}), x, function(at) return {at[1] + 2, at[2] + 1} end)
  end)

  it("broadcasts", function()
    local x = random({3, 1, 2})
    check_places(ops.broadcast_to(x, {2, 3, 4, 2}), x, function(at) return {at[2], 1, at[4]} end)
  end)

  it("tiles and repeats", function()
    local x = random({2, 3})
    check_places(ops.tile(x, {2, 3}), x, function(at)
      return {(at[1] - 1) % 2 + 1, (at[2] - 1) % 3 + 1}
    end)
    same({4, 2, 6}, ops.tile(x, {4, 1, 2}).shape)
    check_places(ops.repeat_(x, 3, 2), x, function(at) return {at[1], (at[2] + 2) // 3} end)
    same({1, 1, 3}, ops.repeat_(nn.tensor{1, 2, 3}, {2, 0, 1}))
  end)

  it("rolls, flips, turns", function()
    local x = random({4, 3})
    check_places(ops.roll(x, 1, 1), x, function(at) return {(at[1] - 2) % 4 + 1, at[2]} end)
    check_places(ops.flip(x), x, function(at) return {5 - at[1], 4 - at[2]} end)
    for k = 0, 4 do
      local y = x
      for _ = 1, k do y = ops.rot90(y) end
      same(core.totable(y), ops.rot90(x, k))
    end
    same(core.totable(x), ops.rot90(ops.rot90(x), -1))
  end)

  it("pads like mirrors", function()
    local x = nn.tensor{1, 2, 3}
    same({3, 2, 1, 2, 3, 2, 1}, ops.pad(x, 2, "reflect"))
    same({2, 1, 1, 2, 3, 3, 2}, ops.pad(x, 2, "symmetric"))
    same({9, 1, 2, 3}, ops.pad(x, {{1, 0}}, {constant_values = 9}))
  end)

  it("joins and splits", function()
    local x, y = random({2, 3}, 1), random({2, 3}, 2)
    for axis = 1, 2 do
      local parts = ops.split(ops.concatenate({x, y}, {axis = axis}), 2, axis)
      same(core.totable(x), parts[1])
      same(core.totable(y), parts[2])
    end
    for axis = 1, 3 do
      local parts = ops.unstack(ops.stack({x, y}, {axis = axis}), {axis = axis})
      same(core.totable(x), parts[1])
      same(core.totable(y), parts[2])
    end
    local uneven = ops.array_split(nn.arange(7), 3)
    same({0, 1, 2}, uneven[1])
    same({5, 6}, uneven[3])
    local many = {}
    for i = 1, 500 do many[i] = nn.tensor{i} end
    assert.equal(500, #ops.concatenate{many})
  end)

  it("rearranges by names", function()
    local x = random({2, 6, 3})
    local y = ops.rearrange(x, "b (h w) c -> b c h w", {h = 2})
    same({2, 3, 2, 3}, y.shape)
    check_places(y, x, function(at) return {at[1], (at[3] - 1) * 3 + at[4], at[2]} end)
  end)

  it("moves blocks of pixels into channels and back", function()
    local x = random({2, 4, 6, 3})
    same(core.totable(x), ops.depth_to_space(ops.space_to_depth(x, 2), 2))
  end)

  it("unravels positions", function()
    local at = ops.unravel_index(nn.tensor({1, 4, 6}, "int32"), {2, 3})
    same({1, 2, 2}, at[1])
    same({1, 1, 3}, at[2])
  end)
end)

describe("numbers", function()
  local table_ = nn.tensor{{1, 2}, {3, 4}, {5, 6}}

  it("take counts from 1 and from the end", function()
    same({{5, 6}, {1, 2}, {5, 6}}, ops.take(table_, {3, 1, -1}, 1))
    same({2, 4, 6}, ops.take(table_, 2, 2))
    same({{6, 1}}, ops.take(table_, {{6, 1}}))
    raises("take: index 4 at position 2, expected 1 to 3", ops.take, table_, {1, 4}, 1)
    raises("take: index 0 at position 1, expected 1 to 3", ops.take, table_, {0}, 1)
  end)

  it("tokens count from 0", function()
    same({{1, 2}, {5, 6}}, core.apply("take", {table_, {0, 2}}, {0, 0}))
    raises("token 9 at row 1, column 2, expected 0 to 2", core.apply, "take", {table_, {{0, 9}}},
      {0, 0})
    raises("token -1 at row 2, column 1, expected 0 to 2", core.apply, "take",
      {table_, {{0}, {-1}}}, {0, 0})
  end)

  it("take_along_axis follows argsort", function()
    local x = random({3, 5})
    for axis = 1, 2 do
      local order = ops.argsort(x, {axis = axis})
      same(core.totable(ops.sort(x, {axis = axis})), ops.take_along_axis(x, order, axis))
    end
  end)

  it("one_hot leaves out ids outside", function()
    same({{0, 1, 0}, {0, 0, 0}, {0, 0, 0}}, ops.one_hot({1, 3, -1}, 3))
    same({{0, 1}, {1, 0}}, ops.one_hot({1, 0}, 2, {axis = 1}))
    same({1, 1, 0}, ops.multi_hot({0, 1, 1}, 3))
  end)

  it("scatter adds, scatter_update puts the last", function()
    same({1, 0, 5}, ops.scatter(nn.tensor({{1}, {3}, {3}}), nn.tensor{1, 2, 3}, {3}))
    same({7, 0, 9}, ops.scatter_update(nn.zeros{3}, {{1}, {3}, {3}}, nn.tensor{7, 8, 9}))
    same({2, 3, 8}, ops.scatter_update(nn.tensor{1, 2, 3}, {{1}, {2}, {3}}, nn.tensor{2, 3, 8},
      "max"))
    same({{1, 2}, {0, 0}, {3, 4}}, ops.scatter_update(table_, {{2}}, nn.zeros{1, 2})
      :slice_update({3, 1}, nn.tensor{{3, 4}}))
  end)

  it("segments", function()
    same({4, 2, 0}, ops.segment_sum(nn.tensor{1, 2, 3}, {0, 1, 0}, 3))
    same({3, 2}, ops.segment_max(nn.tensor{1, 2, 3}, {0, 1, 0}))
    same({3, 2}, ops.segment_prod(nn.tensor{1, 2, 3}, {0, 1, 0}))
    raises("segment: id 5 at position 2, expected at most 1", ops.segment_sum, nn.tensor{1, 2},
      {0, 5}, 2)
  end)
end)

describe("order", function()
  it("sorts any dtype, NaN last, equal ones in their order", function()
    for _, n in ipairs {0, 1, 2, 15, 16, 17, 100, 1000} do
      local list = {}
      for i = 1, n do list[i] = math.random(-50, 50) end
      local t = n > 0 and core.new(list, "int32") or core.full({0}, 0, "int32")
      local places = core.totable(ops.argsort(t))
      for i = 2, n do
        local a, b = list[places[i - 1]], list[places[i]]
        assert.is_true(a < b or (a == b and places[i - 1] < places[i]))
      end
      table.sort(list)
      same(list, ops.sort(t))
    end
    local nan = core.totable(ops.sort(nn.tensor{2, 0 / 0, 1}))
    assert.equal(1, nan[1])
    assert.is_true(nan[3] ~= nan[3])
  end)

  it("finds the k largest", function()
    local x = random({4, 100})
    for _, k in ipairs {1, 3, 16, 17, 100} do
      local values, places = ops.top_k(x, k)
      local sorted = ops.flip(ops.sort(x), 2)
      same(core.totable(ops.slice(sorted, {1, 1}, {4, k})), values)
      same(core.totable(values), ops.take_along_axis(x, places, 2))
    end
    raises("top_k: k is 5, expected 0 to 3", ops.top_k, nn.tensor{1, 2, 3}, 5)
  end)

  it("finds the different values", function()
    local values, index, inverse, counts = ops.unique(nn.tensor{3, 1, 3, 2, 1},
      {return_index = true, return_inverse = true, return_counts = true})
    same({1, 2, 3}, values)
    same({2, 4, 1}, index)
    same({3, 1, 3, 2, 1}, inverse)
    same({2, 1, 2}, counts)
    same({{1, 2}, {3, 4}}, ops.unique(nn.tensor{{3, 4}, {1, 2}, {3, 4}}, {axis = 1}))
  end)

  it("counts and looks up", function()
    local at = ops.nonzero(nn.tensor{{0, 1}, {2, 0}})
    same({1, 2}, at[1])
    same({2, 1}, at[2])
    same({0, 1, 1, 0}, ops.isin(nn.tensor{1, 2, 3, 9}, nn.tensor{3, 2}))
    same({{1, 2, 0, 1}, {0, 0, 4, 0}}, ops.bincount(nn.tensor({{0, 1, 1, 3}, {2, 2, 2, 2}})))
    local counts, borders = ops.histogram(nn.tensor{1, 2, 1, 4}, 3)
    same({2, 1, 1}, counts)
    same({1, 2, 3, 4}, borders)
  end)
end)

describe("gradients", function()
  local x, y = random({3, 4}, 11), random({3, 4}, 12)
  local cases = {
    reshape = function(a) return ops.reshape(a, {2, 6}) end,
    transpose = function(a) return ops.transpose(a) end,
    moveaxis = function(a) return ops.moveaxis(ops.reshape(a, {3, 2, 2}), 1, 3) end,
    flip = function(a) return ops.flip(a, 2) end,
    slice = function(a) return ops.slice_ranges(a, {{1, 3, 2}, {4, 2, -1}}) end,
    broadcast_to = function(a) return ops.broadcast_to(ops.reshape(a, {3, 1, 4}), {2, 3, 5, 4}) end,
    tile = function(a) return ops.tile(a, {2, 2}) end,
    ["repeat"] = function(a) return ops.repeat_(a, {1, 0, 3}, 1) end,
    roll = function(a) return ops.roll(a, -2) end,
    pad = function(a) return ops.pad(a, {{1, 0}, {2, 1}}) end,
    reflect = function(a) return ops.pad(a, {{2, 1}, {3, 2}}, "reflect") end,
    symmetric = function(a) return ops.pad(a, 3, "symmetric") end,
    concatenate = function(a, b) return ops.concatenate({a, b, a}, {axis = 2}) end,
    stack = function(a, b) return ops.stack({a, b}, {axis = -1}) end,
    split = function(a) return ops.split(a, {1, 2}, 2) end,
    take = function(a) return ops.take(a, {{3, 1}, {3, 3}}, 1) end,
    take_columns = function(a) return ops.take(a, {4, -4, 4}, 2) end,
    take_along_axis = function(a)
      return ops.take_along_axis(a, nn.tensor{{1, 1}, {4, 2}, {3, 3}}, 2)
    end,
    scatter = function(a) return ops.scatter(nn.tensor{{1}, {3}, {1}}, a, {4, 4}) end,
    scatter_update = function(a, b)
      return ops.scatter_update(a, {{1, 2}, {3, 4}, {1, 2}}, b[1]:slice{{1, 3}})
    end,
    scatter_add = function(a, b) return ops.scatter_update(a, {{2}, {2}, {1}}, b, "add") end,
    slice_update = function(a, b)
      return ops.slice_update(a, {2, 2}, ops.slice(b, {1, 1}, {2, 3}))
    end,
    sort = function(a) return ops.sort(a, {axis = 1}) end,
    top_k = function(a) return (ops.top_k(a, 2)) end,
    tril = function(a) return ops.tril(a, -1) end,
    triu = function(a) return ops.triu(a, 1) end,
    diag = function(a) return ops.diag(ops.reshape(a, {-1}), 2) end,
    diagonal = function(a)
      return ops.diagonal(ops.reshape(a, {2, 3, 2}), {offset = -1, axis1 = 2, axis2 = 3})
    end,
    segment_sum = function(a) return ops.segment_sum(a, {1, 0, 1}, 3) end,
    segment_max = function(a) return ops.slice(ops.segment_max(a, {1, 0, 1}), {1, 1}, {2, 4}) end,
    segment_min = function(a) return ops.segment_min(a, {1, 0, 1}) end,
    segment_prod = function(a) return ops.segment_prod(a, {1, 0, 1}) end,
    median = function(a) return ops.median(a, {axis = 2}) end,
    quantile = function(a) return ops.quantile(a, {0.25, 0.8}, {axis = 1}) end,
    nanmedian = function(a) return ops.nanmedian(a, {axis = 2}) end,
    diff = function(a) return ops.diff(a, 2) end,
    trapezoid = function(a) return ops.trapezoid(a, {axis = 1}) end,
    cross = function(a, b)
      return ops.cross(ops.slice(a, {1, 1}, {3, 3}), ops.slice(b, {1, 1}, {3, 3}))
    end,
    kron = function(a, b) return ops.kron(a, b) end,
    corrcoef = function(a) return ops.corrcoef(a) end,
    correlate = function(a, b)
      return ops.correlate(ops.reshape(a, {-1}), ops.slice(b, {1, 1}, {1, 4}):reshape{4}, "same")
    end,
    rearrange = function(a) return ops.rearrange(a, "a (b c) -> c a b", {b = 2}) end,
    cast = function(a) return ops.cast(a, "float32") * a end,
    copy = function(a) return ops.copy(a) end,
    linspace = function(a, b) return ops.linspace(a, b, 3) end,
    select = function(a, b) return ops.select({ops.greater(a, 0.3), ops.less(a, -0.3)}, {b, a}) end,
    meshgrid = function(a, b) return ops.meshgrid(a, b) end,
    scan = function(a)
      local last, all = ops.scan(function(carry, row) return carry + row * row, carry end,
        nn.zeros{4}, a)
      return {last, all}
    end,
  }
  for name, f in pairs(cases) do
    it("of " .. name, function()
      gradcheck(f, debug.getinfo(f, "u").nparams == 2 and {x, y} or {x}, {step = 1e-3, rtol = 4e-3,
        atol = 2e-3})
    end)
  end

  it("of a product with zeros", function()
    local z = nn.tensor{{0, 2, 0}, {3, 0, 0}, {5, 4, 2}}
    gradcheck(function(a) return ops.segment_prod(a, {0, 0, 0}) end, {z})
  end)

  it("stop where stop_gradient stands", function()
    local _, g = nn.value_and_grad(function()
      return ops.sum(x * ops.stop_gradient(x))
    end, {x})
    same(core.totable(x), g[1])
  end)
end)

describe("mistakes", function()
  it("name the op, what was wanted and what came", function()
    raises("transpose: axis 3, expected 1 to 2 or -1 to -2", ops.transpose, nn.zeros{2, 3}, {1, 3})
    raises("transpose: axis 1 is named twice", ops.transpose, nn.zeros{2, 3}, {1, 1})
    raises("reshape: 6 numbers of shape (2, 3) do not fill (4)", ops.reshape, nn.zeros{2, 3}, 4)
    raises("broadcast_to: shape (2, 3) does not broadcast to (3, 2)", ops.broadcast_to,
      nn.zeros{2, 3}, {3, 2})
    raises("concatenate: array 2 has shape (3, 2), expected (2, 3) but for axis 1",
      ops.concatenate, {nn.zeros{2, 3}, nn.zeros{3, 2}})
    raises("split: axis 1 has 5 elements, expected a multiple of 2", ops.split, nn.zeros(5), 2)
    raises("pad: axis 1 gets 3, expected at most 2", ops.pad, nn.zeros(3), 3, "reflect")
    raises("squeeze: axis 1 has 2 elements, expected 1", ops.squeeze, nn.zeros{2, 1}, 1)
    raises("one_hot: num_classes is 0, expected an integer of at least 1", ops.one_hot,
      nn.zeros(2), 0)
  end)

  it("with absurd numbers stay mistakes", function()
    local far, t = math.mininteger, nn.zeros{3, 3}
    raises("pad: axis 1 gets", ops.pad, t, math.maxinteger)
    raises("diagonal: offset is", ops.diagonal, t, far)
    raises("diag: k is", ops.diag, nn.zeros(3), 1 << 62)
    raises("reshape: a tensor of this shape does not fit", ops.reshape, t, {1 << 40, 1 << 40})
    raises("slice: the step of axis 1 is", core.apply, "slice", {nn.zeros(3)},
      {2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, far, 1})
    raises("shuffle: expected one dimension", core.apply, "random_permutation", {}, {})
    same(core.totable(t), ops.tril(t, math.maxinteger))
    raises("take: index", ops.take, t, 0 / 0)
  end)

  it("do not disturb empty tensors", function()
    local empty = nn.zeros{0, 3}
    for _, name in ipairs {"transpose", "flip", "sort", "argsort", "copy", "tril", "unique"} do
      assert.equal(0, (ops[name](empty)).size)
    end
    same({4, 3}, ops.segment_sum(empty, nn.zeros(0), 4).shape)
    same({2, 3}, ops.concatenate{empty, nn.zeros{2, 3}}.shape)
    same({0, 3, 5}, ops.one_hot(empty, 5).shape)
  end)

  it("tell what cannot be traced", function()
    local graph = core.record "trace"
    local t = core.input(graph, {3}, "float32")
    local ok, message = pcall(ops.unique, t)
    core.done(graph)
    assert.is_false(ok)
    assert.truthy(message:find("unique: the result depends on values", 1, true), message)
  end)
end)
