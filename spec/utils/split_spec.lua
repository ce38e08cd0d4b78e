-- Parts of data: train_test_split, k_fold, split_dataset, windows over series, PyDataset.

local nn = require "nnlua"
local support = require "spec.data.support"

local raises, utils = support.raises, nn.utils

local function flat(t) return t:reshape{-1}:totable() end

local function joined(...)
  local out = {}
  for _, list in ipairs {...} do table.move(list, 1, #list, #out + 1, out) end
  table.sort(out)
  return out
end

local function upto(n)
  local out = {}
  for i = 1, n do out[i] = i - 1 end
  return out
end

local function share(list, id)
  local n = 0
  for _, v in ipairs(list) do if v == id then n = n + 1 end end
  return n
end

describe("train_test_split", function()
  local x = nn.arange{0, 40}
  local labels = {}
  for i = 1, 40 do labels[i] = i % 4 == 0 and 1 or i % 10 == 1 and 2 or 0 end
  local y = nn.tensor(labels, "int32")

  it("puts every row into one part, the same by the same seed", function()
    local a, b, ya, yb = utils.train_test_split{x, y, test_size = 0.3, seed = 1}
    assert.same({28, 12, 28, 12}, {#a, #b, #ya, #yb})
    assert.same(upto(40), joined(flat(a), flat(b)))
    for i, v in ipairs(flat(a)) do assert.equal(labels[v + 1], ya[i]) end
    assert.same(flat(a), flat((utils.train_test_split{x, test_size = 0.3, seed = 1})))
    assert.not_same(flat(a), flat((utils.train_test_split{x, test_size = 0.3, seed = 2})))
    assert.equal("int32", ya.dtype)
    local first, last = utils.train_test_split{x, test_size = 5, shuffle = false}
    assert.same({35, 36, 37, 38, 39}, flat(last))
    assert.equal(35, #first)
  end)

  it("keeps the classes' shares", function()
    for _, stratify in ipairs {true, y, nn.utils.to_categorical(y)} do
      local _, _, ya, yb = utils.train_test_split{x, y, test_size = 0.25, stratify = stratify,
        seed = 3}
      for id = 0, 2 do
        local all = share(labels, id)
        assert.is_true(math.abs(share(flat(yb), id) - all / 4) < 1)
        assert.equal(all, share(flat(ya), id) + share(flat(yb), id))
      end
    end
  end)

  it("takes several inputs, and refuses impossible sizes", function()
    local a, b = utils.train_test_split{{p = x, q = x * 2}, y, test_size = 0.5, seed = 1}
    assert.same(flat(a.q), flat(a.p * 2))
    assert.equal(20, #b.p)
    raises("test_size is 1.5", utils.train_test_split, {x, y, test_size = 1.5})
    raises("test_size is 40", utils.train_test_split, {x, y, test_size = 40})
    raises("x has 40 rows but y has 3", utils.train_test_split, {x, nn.zeros{3}})
  end)
end)

describe("k_fold", function()
  it("tests every row once", function()
    local x, tested, folds = nn.arange{0, 23}, {}, 0
    for i, train, test in utils.k_fold{x, x * 2, k = 5, seed = 1} do
      folds = folds + 1
      assert.equal(folds, i)
      assert.same(upto(23), joined(flat(train[1]), flat(test[1])))
      assert.same(flat(test[2]), flat(test[1] * 2))
      assert.is_true(#test[1] == 4 or #test[1] == 5)
      tested = joined(tested, flat(test[1]))
    end
    assert.equal(5, folds)
    assert.same(upto(23), tested)
    raises("k is 1, expected 2 to 23", utils.k_fold, {x, k = 1})
  end)

  it("keeps the classes' shares", function()
    local labels = {}
    for i = 1, 30 do labels[i] = i <= 10 and 1 or 0 end
    local y = nn.tensor(labels, "int32")
    for _, _, test in utils.k_fold{nn.arange{0, 30}, y, k = 5, stratify = true, seed = 2} do
      assert.equal(2, share(flat(test[2]), 1))
    end
  end)
end)

local function elements(dataset)
  local out = {}
  for e in dataset.make() do table.move(flat(e[1]), 1, e[1].size, #out + 1, out) end
  return out
end

describe("split_dataset", function()
  local d = nn.data.Dataset.from_tensors{nn.arange{0, 10}}

  it("takes the first on the left and the last on the right", function()
    local function sizes(options)
      local left, right = utils.split_dataset(options)
      return {elements(left), elements(right)}
    end
    assert.same({upto(7), {7, 8, 9}}, sizes{d, left_size = 0.7})
    assert.same({upto(7), {7, 8, 9}}, sizes{d, right_size = 3})
    assert.same({{0, 1}, {7, 8, 9}}, sizes{d, left_size = 2, right_size = 0.3})
    -- 0.25 * 10 = 2.5 rounds to the even 2, 0.35 * 10 = 3.5 to 4
    assert.same({{0, 1}, {2, 3, 4, 5, 6, 7, 8, 9}}, sizes{d, left_size = 0.25})
    assert.equal(4, #sizes{d, left_size = 0.35}[1])
    assert.same(upto(6), sizes{nn.arange{0, 10}, left_size = 6}[1])
  end)

  it("shuffles once for both parts", function()
    local left, right = utils.split_dataset{d, left_size = 5, shuffle = true, seed = 4}
    assert.same(upto(10), joined(elements(left), elements(right)))
    assert.same(elements(left), elements(left))
    assert.not_same({0, 1, 2, 3, 4}, elements(left))
  end)

  it("counts data sets that do not know their length", function()
    local n = 0
    local source = nn.data.Dataset.from_iterator(function()
      n = 0
      return function()
        n = n + 1
        if n <= 4 then return nn.tensor{n} end
      end
    end)
    local left, right = utils.split_dataset{source, left_size = 1}
    assert.same({1}, elements(left))
    assert.same({2, 3, 4}, elements(right))
  end)

  it("refuses impossible sizes", function()
    raises("left_size and right_size are both missing", utils.split_dataset, {d})
    raises("left_size is 10", utils.split_dataset, {d, left_size = 10})
    raises("add up to 13, the data set has 10", utils.split_dataset,
      {d, left_size = 9, right_size = 4})
  end)
end)

describe("timeseries_dataset_from_array", function()
  local series = nn.arange{0, 100}

  local function windows(options)
    local x, y = {}, {}
    for a, b in utils.timeseries_dataset_from_array(options):iterate() do
      for _, row in ipairs(a:totable()) do x[#x + 1] = row end
      for _, v in ipairs(b and b:totable() or {}) do y[#y + 1] = v end
    end
    return x, y
  end

  it("gives the windows of Keras's documentation", function()
    local x = windows{series, nn.None, 10, sampling_rate = 2, sequence_stride = 3, batch_size = 5}
    assert.same({0, 2, 4, 6, 8, 10, 12, 14, 16, 18}, x[1])
    assert.same({3, 5, 7, 9, 11, 13, 15, 17, 19, 21}, x[2])
    assert.equal(28, #x)
    assert.same({81, 83, 85, 87, 89, 91, 93, 95, 97, 99}, x[28])
  end)

  it("aligns targets with the first step", function()
    local x, y = windows{series, nn.arange{10, 100}, 10}
    assert.equal(90, #x) -- as many as targets
    for i = 1, 90 do assert.equal(x[i][1] + 10, y[i]) end
  end)

  it("uses rows start_index to end_index, both included", function()
    local x = windows{series, nn.None, 3, start_index = 11, end_index = 15}
    assert.same({{10, 11, 12}, {11, 12, 13}, {12, 13, 14}}, x)
  end)

  it("shuffles windows with their targets, and gives single ones", function()
    local x, y = windows{series, series, 4, shuffle = true, seed = 1, batch_size = 7}
    assert.equal(97, #x)
    local order = {}
    for i = 1, 97 do
      assert.equal(x[i][1], y[i])
      assert.equal(x[i][1] + 3, x[i][4])
      order[i] = y[i]
    end
    assert.not_same(upto(97), order)
    table.sort(order)
    assert.same(upto(97), order)
    local single = utils.timeseries_dataset_from_array{series, series, 4, batch_size = nn.None}
    assert.is_false(single.batched)
    local e = single.make()()
    assert.same({0, 1, 2, 3}, e[1]:totable())
    assert.equal(0, e[2]:item())
  end)

  it("keeps further axes", function()
    local two = nn.arange{0, 20}:reshape{10, 2}
    local d = utils.timeseries_dataset_from_array{two, nn.None, 3, batch_size = 8}
    assert.same({8, 3, 2}, d:iterate()().shape)
  end)

  it("refuses impossible windows", function()
    raises("sequence_length is 0", utils.timeseries_dataset_from_array, {series, nn.None, 0})
    raises("a window spans 19 rows, there are 15", utils.timeseries_dataset_from_array,
      {series, nn.None, 10, sampling_rate = 2, start_index = 86})
    raises("end_index is 101, expected an integer of 1 to 100",
      utils.timeseries_dataset_from_array, {series, nn.None, 3, end_index = 101})
  end)
end)

describe("PyDataset", function()
  local calls
  local Squares = utils.PyDataset:extend("Squares")
  function Squares:__len__() return 6 end
  function Squares:__getitem__(i)
    calls[#calls + 1] = i
    return nn.full{{4, 2}, i / 6}, nn.full{{4, 1}, i / 3}
  end
  function Squares:on_epoch_begin() calls[#calls + 1] = "begin" end
  function Squares:on_epoch_end() calls[#calls + 1] = "end" end

  local function model()
    local m = nn.Sequential{nn.layers.Dense{1, input_shape = {2}}}
    m:compile{optimizer = "sgd", loss = "mse"}
    return m
  end

  it("gives its batches in order, or in a random one to fit", function()
    calls = {}
    model():fit{Squares(), shuffle = false, verbose = 0}
    assert.same({"begin", 1, 2, 3, 4, 5, 6, "end"}, calls)
    calls = {}
    nn.set_random_seed(1)
    model():fit{Squares(), epochs = 3, verbose = 0}
    assert.equal(3 * 8, #calls)
    assert.equal("begin", calls[1])
    assert.equal("end", calls[24])
    local orders = {}
    for e = 0, 2 do
      local batch = table.move(calls, e * 8 + 2, e * 8 + 7, 1, {})
      orders[e + 1] = table.concat(batch, " ")
      table.sort(batch)
      assert.same({1, 2, 3, 4, 5, 6}, batch)
    end
    assert.is_true(orders[1] ~= orders[2] or orders[2] ~= orders[3])
    calls = {}
    model():evaluate{Squares(), verbose = 0}
    assert.same({"begin", 1, 2, 3, 4, 5, 6, "end"}, calls)
  end)

  it("says what is missing", function()
    local Empty = utils.PyDataset:extend("Empty")
    function Empty:__len__() return 2 end
    local m = model()
    raises("Empty: __getitem__ is missing", m.fit, m, {Empty(), shuffle = false, verbose = 0})
  end)
end)
