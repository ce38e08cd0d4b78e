-- Preprocessing layers: vocabularies, adapting, strings in Lua tables, known hashes, and what they
-- refuse.

local nn = require "nnlua"
local failure = require "spec.support.failure"

local L, message = nn.layers, failure.of

local function adapted(layer, data)
  layer:adapt(data)
  return layer
end

describe("StringLookup", function()
  it("orders by count, and equal counts by token, downwards", function()
    local layer = adapted(L.StringLookup(), {"b", "a", "c", "c", "b", "d"})
    assert.same({"[UNK]", "c", "b", "d", "a"}, layer:get_vocabulary())
    assert.same({"c", "b", "d", "a"}, layer:get_vocabulary{include_special_tokens = false})
    assert.equal(5, layer:vocabulary_size())
    assert.same({1, 0, 4}, layer{"c", "x", "a"}:totable())
  end)

  it("replaces what it knew when it adapts again", function()
    local layer = adapted(L.StringLookup(), {"a"})
    layer:adapt{{"x", "y"}, {"x", "z"}}
    assert.same({"[UNK]", "x", "z", "y"}, layer:get_vocabulary())
    layer:reset_state()
    assert.same({"[UNK]"}, layer:get_vocabulary())
  end)

  it("adapts to batches of an iterator", function()
    local batches, at = {{"a", "b"}, {"b"}}, 0
    local layer = adapted(L.StringLookup(), function()
      at = at + 1
      return batches[at]
    end)
    assert.same({"[UNK]", "b", "a"}, layer:get_vocabulary())
  end)

  it("takes a vocabulary with its special tokens or without", function()
    local layer = L.StringLookup{mask_token = ""}
    layer:set_vocabulary{"", "[UNK]", "a"}
    assert.same({"", "[UNK]", "a"}, layer:get_vocabulary())
    layer:set_vocabulary{"a", "b"}
    assert.same({{2, 0}, {1, 3}}, layer{{"a", ""}, {"q", "b"}}:totable())
  end)

  it("weighs by inverse document frequency", function()
    local layer = adapted(L.StringLookup{output_mode = "tf_idf"}, {{"a", "b"}, {"a", "a"}})
    local a, b = math.log(1 + 2 / 3), math.log(1 + 2 / 2)
    local row = layer{{"a", "z"}}:totable()[1]
    assert.is_true(math.abs(row[2] - a) < 1e-6)
    assert.is_true(math.abs(row[1] - (a + b) / 2) < 1e-6)
    assert.equal(0, row[3])
  end)

  it("inverts to nested tables of strings", function()
    local layer = L.StringLookup{vocabulary = {"a", "b"}, invert = true}
    assert.same({{"a", "[UNK]"}, {"b", "[UNK]"}}, layer{{1, 0}, {2, 9}})
  end)

  it("refuses what cannot be", function()
    assert.matches("StringLookup: vocabulary holds 'a' twice",
      message(L.StringLookup, {vocabulary = {"a", "a"}}))
    assert.matches("'q' is not in the vocabulary",
      message(L.StringLookup{vocabulary = {"a"}, num_oov_indices = 0}, {"q"}))
    assert.matches("the vocabulary has 4 tokens, max_tokens is 3",
      message(L.StringLookup, {vocabulary = {"a", "b", "c"}, max_tokens = 3}))
    local given = L.StringLookup{vocabulary = {"a"}}
    assert.matches("adapt cannot change a vocabulary that was given",
      message(given.adapt, given, {"b"}))
    assert.matches("unknown output_mode 'hot'", message(L.StringLookup, {output_mode = "hot"}))
    assert.matches("rows of the table differ in length", message(given, {{"a", "b"}, {"a"}}))
  end)
end)

describe("IntegerLookup", function()
  it("sends unknown numbers to slots by their remainder", function()
    local layer = L.IntegerLookup{vocabulary = {10, 20}, num_oov_indices = 3}
    assert.same({3, 4, 1, 2}, layer(nn.tensor({10, 20, 4, -1}, "int32")):totable())
  end)

  it("works inside a model that is trained", function()
    local lookup = adapted(L.IntegerLookup{output_mode = "one_hot"}, {5, 7, 7})
    local model = nn.Sequential{nn.Input{shape = {1}, dtype = "int32"}, lookup, L.Dense(1)}
    model:compile{optimizer = "sgd", loss = "mse"}
    local x = nn.tensor({{5}, {7}, {9}, {7}}, "int32")
    local history = model:fit{x, nn.tensor{{1}, {2}, {3}, {2}}, epochs = 5, verbose = 0}
    assert.is_true(history.history.loss[5] < history.history.loss[1])
    assert.same({4, 1}, model:predict{x, verbose = 0}.shape)
  end)
end)

describe("Hashing", function()
  it("gives TensorFlow's bins", function()
    assert.same({1, 0, 1, 1, 2}, L.Hashing(3){"A", "B", "C", "D", "E"}:totable())
    assert.same({0, 1, 0}, L.Hashing(3)(nn.tensor({1, 2, 3}, "int32")):totable())
    assert.same({1, 1, 0}, L.Hashing{3, mask_value = ""}{"A", "B", ""}:totable())
    assert.same({2, 0, 0}, L.Hashing{3, salt = 1337}{"A", "B", "C"}:totable())
  end)

  it("gives numbers and their text the same bin", function()
    local layer = L.Hashing{1000, salt = {1, 2}}
    assert.same(layer{"17", "-4"}:totable(), layer(nn.tensor({17, -4}, "int32")):totable())
  end)

  it("crosses columns as TensorFlow does", function()
    local layer = L.HashedCrossing(5)
    assert.same({1, 4, 1, 1, 3},
      layer{{"A", "B", "A", "B", "A"}, {101, 101, 101, 102, 102}}:totable())
  end)

  it("refuses what cannot be", function()
    assert.matches("Hashing: num_bins is 0, expected an integer above 0", message(L.Hashing, {0}))
    assert.matches("expected a list of at least two columns", message(L.HashedCrossing(3), {{1}}))
  end)
end)

describe("Discretization", function()
  it("takes quantiles as boundaries", function()
    local layer = adapted(L.Discretization{num_bins = 4}, nn.arange(10))
    local list = layer:get_config().bin_boundaries
    for i, want in ipairs {1.5, 4, 6.5} do assert.is_true(math.abs(list[i] - want) < 1e-6) end
    local again = L.Discretization.from_config(L.Discretization, layer:get_config())
    assert.same(list, again:get_config().bin_boundaries)
    assert.same({0, 1, 1, 3}, layer(nn.tensor{1, 1.5, 3, 8}):totable())
  end)

  it("refuses what cannot be", function()
    assert.matches("num_bins or bin_boundaries is missing", message(L.Discretization, {}))
    assert.matches("both given", message(L.Discretization, {{1}, num_bins = 2}))
    assert.matches("call adapt first", message(L.Discretization{num_bins = 2}, nn.tensor{1}))
    assert.matches("bin_boundaries%[2%] is 1, expected more than 2",
      message(L.Discretization, {{2, 1}}))
  end)
end)

describe("CategoryEncoding", function()
  it("leaves ids outside without a column", function()
    local layer = L.CategoryEncoding{3}
    assert.same({{1, 0, 1}}, layer(nn.tensor({{0, 2, 7}}, "int32")):totable())
  end)

  it("counts with weights", function()
    local layer = L.CategoryEncoding{3, output_mode = "count"}
    local y = layer(nn.tensor({{0, 2, 2}}, "int32"), {count_weights = nn.tensor{{0.5, 1, 2}}})
    assert.same({{0.5, 0, 3}}, y:totable())
  end)

  it("refuses what cannot be", function()
    assert.matches("num_tokens is missing", message(L.CategoryEncoding, {}))
    assert.matches("unknown output_mode 'int'",
      message(L.CategoryEncoding, {3, output_mode = "int"}))
  end)
end)

describe("Normalization", function()
  local data = nn.tensor{{1, 10}, {2, 30}, {3, 20}, {6, 40}}

  it("has mean 0 and variance 1 over the data it was adapted to", function()
    local layer = adapted(L.Normalization(), data)
    local y = layer(data)
    for _, v in ipairs(y:mean{axis = 1}:totable()) do assert.is_true(math.abs(v) < 1e-6) end
    for _, v in ipairs(nn.ops.var(y, {axis = 1}):totable()) do
      assert.is_true(math.abs(v - 1) < 1e-5)
    end
    assert.equal(3, #layer:get_weights())
  end)

  it("joins batches as if they were one array", function()
    local at, parts = 0, {data:slice{{1, 1}}, data:slice{{2, 4}}}
    local layer = adapted(L.Normalization(), function()
      at = at + 1
      return parts[at]
    end)
    local whole = adapted(L.Normalization(), data):get_weights()
    for k, part in ipairs(layer:get_weights()) do
      if part.ndim > 0 then
        for i, v in ipairs(part:totable()) do
          assert.is_true(math.abs(v - whole[k][i]) < 1e-4)
        end
      end
    end
  end)

  it("inverts itself", function()
    local there = L.Normalization{mean = {1, 2}, variance = {4, 9}}
    local back = L.Normalization{mean = {1, 2}, variance = {4, 9}, invert = true}
    assert.same({{3, -5}}, back(there(nn.tensor{{3, -5}})):totable())
  end)

  it("trains inside a model with statistics set before and after", function()
    local layer = L.Normalization()
    local model = nn.Sequential{nn.Input{shape = {2}}, layer, L.Dense(1)}
    layer:adapt(data)
    model:compile{optimizer = "sgd", loss = "mse"}
    model:fit{data, nn.tensor{{1}, {2}, {3}, {4}}, epochs = 1, verbose = 0}
    local before = layer(data):totable()
    assert.same(before, layer(data):totable())
    local direct = model.layers[#model.layers](layer(data)):totable()
    assert.same(direct, model:predict{data, verbose = 0}:totable())
  end)

  it("refuses what cannot be", function()
    assert.matches("mean and variance are given together", message(L.Normalization, {mean = 1}))
    local given = L.Normalization{mean = 1, variance = 1}
    assert.matches("adapt cannot change", message(given.adapt, given, data))
  end)
end)

describe("TextVectorization", function()
  it("standardizes, splits, looks up and pads", function()
    local layer = adapted(L.TextVectorization{output_sequence_length = 4},
      {"The cat, the dog!", "the Cat."})
    assert.same({"", "[UNK]", "the", "cat", "dog"}, layer:get_vocabulary())
    assert.same({{2, 3, 0, 0}, {4, 1, 2, 3}},
      layer{"THE cat", "dog barks the cat again"}:totable())
  end)

  it("joins neighbours and counts", function()
    local layer = L.TextVectorization{ngrams = 2, output_mode = "count",
      vocabulary = {"a", "b", "a b"}}
    -- a, b, c, "a b", "b c": two of them unknown
    assert.same({{2, 1, 1, 1}}, layer{"a b c"}:totable())
  end)
end)
