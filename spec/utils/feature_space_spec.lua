-- nn.utils.FeatureSpace: each kind of column, crosses, missing cells, configurations, and models
-- that take raw rows.

local nn = require "nnlua"
local support = require "spec.data.support"

local raises, FeatureSpace = support.raises, nn.utils.FeatureSpace

local rows = {
  city = {"Ulm", "Bonn", "Ulm", "Kiel", "Ulm", "Bonn"},
  rooms = {3, 1, 2, 3, 3, 1},
  area = {70, 30, 50, 90, 110, 10},
}

local function space(features, options)
  options = options or {}
  options[1] = features
  return FeatureSpace(options):adapt(rows)
end

local function values(t) return t:reshape{-1}:totable() end

describe("FeatureSpace", function()
  it("normalizes, rescales and passes numbers", function()
    local mean, sd = 60, math.sqrt((100 + 900 + 100 + 900 + 2500 + 2500) / 6)
    local got = space{area = "float_normalized"}(rows)
    assert.same({6, 1}, got.shape)
    local want = {}
    for i, v in ipairs(rows.area) do want[i] = (v - mean) / sd end
    support.near(want, values(got), 1e-5)
    assert.same(rows.area, values(space{area = "float"}(rows)))
    local half = space{area = FeatureSpace.float_rescaled{scale = 0.5, offset = 1}}
    assert.same({36, 16, 26, 46, 56, 6}, values(half(rows)))
  end)

  it("cuts numbers into bins", function()
    local fs = space{area = FeatureSpace.float_discretized{3, bin_boundaries = {40, 80}}}
    assert.same({{0, 1, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 0, 1}, {1, 0, 0}},
      fs(rows):totable())
    local ids = space({area = FeatureSpace.float_discretized{3, bin_boundaries = {40, 80},
      output_mode = "int"}}, {output_mode = "dict"})(rows)
    assert.same({1, 0, 1, 2, 2, 0}, values(ids.area))
    assert.equal("int32", ids.area.dtype)
    local bins = space{area = FeatureSpace.float_discretized(2)}(rows)
    assert.same({6, 2}, bins.shape)
    assert.equal(6, bins:sum():item())
  end)

  it("looks tokens up, the unknown one first", function()
    -- by frequency: Ulm, Bonn, Kiel behind the unknown token
    local fs = space{city = "string_categorical"}
    assert.equal(4, fs:output_width())
    assert.same({{0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}, {1, 0, 0, 0}, {1, 0, 0, 0}},
      fs{city = {"Ulm", "Bonn", "Kiel", "Rom", false}}:totable())
    local three = space{rooms = "integer_categorical"}
    assert.same({{0, 1, 0, 0}, {0, 0, 1, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}},
      three{rooms = {3, 1, 7, false}}:totable())
    local two = space{city = FeatureSpace.string_categorical{num_oov_indices = 0, max_tokens = 2}}
    assert.same({{1, 0}, {0, 1}}, two{city = {"Ulm", "Bonn"}}:totable())
    raises("'Kiel' is not in the vocabulary", two, {city = {"Kiel"}})
  end)

  it("hashes tokens, alone and crossed", function()
    local fs = space({city = FeatureSpace.string_hashed{4, output_mode = "int"},
      rooms = FeatureSpace.integer_hashed(5)}, {output_mode = "dict",
      crosses = {FeatureSpace.cross{{"city", "rooms"}, 8}, FeatureSpace.cross{{"rooms", "city"}, 8,
        output_mode = "int"}}})
    local got = fs(rows)
    local hashing, crossing = nn.layers.Hashing{4}, nn.layers.HashedCrossing{8}
    assert.same(values(hashing(rows.city)), values(got.city))
    assert.same({6, 5}, got.rooms.shape)
    assert.same({6, 8}, got.city_X_rooms.shape)
    local want = crossing{rows.rooms, rows.city}
    assert.same(values(want), values(got.rooms_X_city))
  end)

  it("puts features side by side in byte order, crosses last", function()
    local fs = space({rooms = "float", city = "string_categorical", area = "float"},
      {crosses = {{"city", "city"}}, crossing_dim = 3})
    local row = fs(rows)[1]:totable()
    assert.equal(1 + 4 + 1 + 3, fs:output_width())
    assert.same({70, 0, 1, 0, 0, 3}, table.move(row, 1, 6, 1, {}))
    assert.equal(1, row[7] + row[8] + row[9])
    assert.same({false, 9}, fs:get_encoded_features().shape)
  end)

  it("takes one row, tables of columns and data sets", function()
    local fs = space{city = "string_categorical", area = "float"}
    assert.same({70, 0, 1, 0, 0}, fs{city = "Ulm", area = 70, other = "x"}:totable())
    local t = nn.data.Table.from_columns(rows)
    assert.same(fs(rows):totable(), fs(t):totable())
    local other = FeatureSpace{{city = "string_categorical", area = "float"}}
    other:adapt(nn.data.Dataset.from_iterator(function()
      local i = 0
      return function()
        i = i + 1
        if i <= 6 then return {city = {rows.city[i]}, area = {rows.area[i]}} end
      end
    end, {batched = true}))
    assert.same(fs(rows):totable(), other(rows):totable())
  end)

  it("fills a missing number with the mean, elsewhere says where it is", function()
    local fs = FeatureSpace{{area = "float_normalized", rooms = "float"}}
    fs:adapt{area = {1, false, 3}, rooms = {1, 2, 3}}
    assert.same({-1, 1, 0, 2, 1, 3}, values(fs{area = {1, false, 3}, rooms = {1, 2, 3}}))
    raises("column 'rooms' has a missing cell in row 2", fs, {area = {1, 1}, rooms = {1, false}})
    raises("column 'area', row 1 is 'big', expected a number", fs, {area = {"big"}, rooms = {1}})
  end)

  it("is the same again from its configuration", function()
    local fs = space({city = "string_categorical", rooms = "integer_categorical",
      area = "float_normalized"}, {crosses = {{"city", "rooms"}}, crossing_dim = 6})
    local text = nn.core.json.encode(fs:get_config())
    local again = FeatureSpace.from_config(nn.core.json.decode(text, "config"))
    assert.same(fs(rows):totable(), again(rows):totable())
    assert.equal(text, nn.core.json.encode(again:get_config()))
    support.with_file(".json", function(path)
      fs:save(path)
      assert.same(fs(rows):totable(), FeatureSpace.load(path)(rows):totable())
    end)
    local bins = space{area = FeatureSpace.float_discretized(3)}
    assert.same(bins(rows):totable(), FeatureSpace.from_config(bins:get_config())(rows):totable())
  end)

  it("refuses what cannot be", function()
    raises("unknown kind of feature 'float_normalised'", FeatureSpace,
      {{a = "float_normalised"}})
    raises("did you mean 'float_normalized'?", FeatureSpace, {{a = "float_normalised"}})
    raises("call adapt on the training rows first", FeatureSpace{{area = "float_normalized"}}, rows)
    raises("the rows have no column 'city'", space{city = "string_categorical"}, {area = {1}})
    raises("which is no feature", FeatureSpace, {{a = "string_hashed"}, crosses = {{"a", "b"}}})
    raises("holds numbers that are not whole", FeatureSpace,
      {{a = "string_hashed", b = "float"}, crosses = {{"a", "b"}}})
    raises("feature 'city' is not encoded (it holds int32)",
      space{city = FeatureSpace.string_categorical{output_mode = "int"}}, rows)
    raises("column 'city' has no cell that is present", FeatureSpace{{city = "string_categorical"}}
      .adapt, FeatureSpace{{city = "string_categorical"}}, {city = {false, false}})
    raises("feature 'area' has output_mode 'one_hot', so its preprocessor",
      space{area = FeatureSpace.feature{"float32", output_mode = "one_hot"}}, rows)
  end)
end)

describe("a model with a feature space", function()
  local function model_of(fs)
    nn.set_random_seed(3)
    local m = nn.Sequential{nn.layers.Dense{2, activation = "softmax",
      input_shape = {fs:output_width()}}}
    m:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy"}
    return m
  end

  it("takes raw rows", function()
    local fs = space{city = "string_categorical", area = "float_normalized"}
    local y = nn.tensor({0, 1, 0, 1, 0, 1}, "int32")
    local a, b = model_of(fs), model_of(fs)
    b.feature_space = fs
    assert.equal(fs, b.feature_space)
    local t = nn.data.Table.from_columns(rows)
    local want = a:fit{fs(rows), y, epochs = 2, shuffle = false, verbose = 0}.history.loss
    assert.same(want, b:fit{t, y, epochs = 2, shuffle = false, verbose = 0}.history.loss)
    local p = a:predict{fs(rows), verbose = 0}:totable()
    assert.same(p, b:predict{t, verbose = 0}:totable())
    assert.same(p, b:predict{rows, verbose = 0}:totable())
    assert.same(p, nn.utils.predict_rows{b, rows}:totable())
    assert.same(p[1], nn.utils.predict_rows(b, {city = "Ulm", area = 70}):totable())
    assert.equal(a:evaluate{fs(rows), y, verbose = 0}, b:evaluate{rows, y, verbose = 0})
    raises("the model has no feature_space", nn.utils.predict_rows, a, rows)
  end)

  it("carries it in extra_config", function()
    local fs = space{city = "string_categorical", area = "float_normalized"}
    local a, b = model_of(fs), model_of(fs)
    a.feature_space = fs
    local text = nn.core.json.encode(a.extra_config)
    b.extra_config = nn.core.json.decode(text, "config")
    assert.same(nn.utils.predict_rows(a, rows):totable(), nn.utils.predict_rows(b, rows):totable())
    a.feature_space = nil
    assert.is_nil(a.feature_space)
    raises("call adapt on the training rows first", function()
      a.feature_space = FeatureSpace{{area = "float_normalized"}}
    end)
    raises("feature_space is 3", function() a.feature_space = 3 end)
  end)

  it("is saved with the model", function()
    local fs = space{city = "string_categorical", area = "float_normalized"}
    local a = model_of(fs)
    a.feature_space = fs
    for _, ending in ipairs {".safetensors", ".keras"} do
      support.with_file(ending, function(path)
        a:save(path)
        local b = nn.saving.load_model(path)
        assert.same(nn.utils.predict_rows(a, rows):totable(),
          nn.utils.predict_rows(b, rows):totable())
      end)
    end
  end)
end)
