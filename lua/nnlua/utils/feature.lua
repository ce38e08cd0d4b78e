-- What nn.utils.FeatureSpace knows of one column: the kinds of features by name, and the state that
-- a preprocessing layer takes from data, as plain values.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local tree = require "nnlua.tree"

local feature = {}

---@class nn.utils.Feature
---@field dtype string "float32", "int32" or "string": what the raw cells are
---@field preprocessor nn.Layer? what turns cells into numbers or indices; nil: nothing
---@field output_mode string "float", "int" or "one_hot"
local Feature = class.new("Feature", {
  args = "dtype, preprocessor=None, output_mode='float'",
})

feature.Feature = Feature

local dtypes = {float32 = true, int32 = true, string = true}
local alike = {int64 = "int32", float = "float32", int = "int32"}
local modes = {float = true, int = true, one_hot = true}

function Feature:init(a)
  local dtype = alike[a.dtype] or a.dtype
  if not dtypes[dtype] then
    err.raise("Feature: dtype is %s, expected float32, int32 or string", tostring(a.dtype))
  end
  if not modes[a.output_mode] then
    err.raise("Feature: output_mode is %s, expected float, int or one_hot", tostring(a.output_mode))
  end
  self.dtype, self.preprocessor, self.output_mode = dtype, a.preprocessor, a.output_mode
end

---@class nn.utils.Cross
---@field feature_names string[]
---@field crossing_dim integer
---@field output_mode string "int" or "one_hot"
local Cross = class.new("Cross", {args = 'feature_names, crossing_dim, output_mode="one_hot"'})

feature.Cross = Cross

function Cross:init(a)
  local names = a.feature_names
  if type(names) ~= "table" or #names < 2 then
    err.raise("Cross: feature_names wants the names of two columns or more")
  end
  if math.tointeger(a.crossing_dim) == nil or a.crossing_dim < 1 then
    err.raise("Cross: crossing_dim is %s, expected an integer above 0", err.show(a.crossing_dim))
  end
  if a.output_mode ~= "int" and a.output_mode ~= "one_hot" then
    err.raise("Cross: output_mode is %s, expected int or one_hot", tostring(a.output_mode))
  end
  self.feature_names, self.crossing_dim = names, a.crossing_dim
  self.output_mode = a.output_mode
  self.name = table.concat(names, "_X_")
end

-- kinds ------------------------------------------------------------------------------------------

local function layers() return require "nnlua.layers" end

local kinds = {}
feature.kinds = kinds

--- A number as it is.
kinds.float = args.fn("float", "name=None", function()
  return Feature("float32", nil, "float")
end)

--- A number times `scale` plus `offset`.
kinds.float_rescaled = args.fn("float_rescaled", "scale=1.0, offset=0.0, name=None",
  function(scale, offset)
    return Feature("float32", layers().Rescaling{scale, offset = offset}, "float")
  end)

--- A number minus the mean of the adapted rows, by their standard deviation. A missing cell is 0.
kinds.float_normalized = args.fn("float_normalized", "name=None", function()
  return Feature("float32", layers().Normalization{axis = -1}, "float")
end)

--- The bin of a number: between boundaries that are given, or quantiles of the adapted rows.
kinds.float_discretized = args.fn("float_discretized",
  'num_bins, bin_boundaries=None, output_mode="one_hot", name=None',
  function(num_bins, boundaries, mode)
    if boundaries ~= nil then num_bins = nil end
    return Feature("float32",
      layers().Discretization{num_bins = num_bins, bin_boundaries = boundaries}, mode)
  end)

local categorical = 'max_tokens=None, num_oov_indices=1, output_mode="one_hot", name=None'

--- A whole number as its place in the vocabulary of the adapted rows.
kinds.integer_categorical = args.fn("integer_categorical", categorical,
  function(max_tokens, oov, mode)
    return Feature("int32", layers().IntegerLookup{max_tokens = max_tokens,
      num_oov_indices = oov}, mode)
  end)

--- A text as its place in the vocabulary of the adapted rows. A missing cell is an unknown text.
kinds.string_categorical = args.fn("string_categorical", categorical,
  function(max_tokens, oov, mode)
    return Feature("string", layers().StringLookup{max_tokens = max_tokens,
      num_oov_indices = oov}, mode)
  end)

local hashed = 'num_bins, output_mode="one_hot", name=None'

--- A text as one of num_bins numbers, by its hash.
kinds.string_hashed = args.fn("string_hashed", hashed, function(bins, mode)
  return Feature("string", layers().Hashing{bins}, mode)
end)

--- A whole number as one of num_bins numbers, by its hash.
kinds.integer_hashed = args.fn("integer_hashed", hashed, function(bins, mode)
  return Feature("int32", layers().Hashing{bins}, mode)
end)

--- A feature of a kind that is named alone, with the space's defaults.
function feature.named(kind, defaults)
  local make = kinds[kind]
  if not make then
    local names = tree.keys(kinds)
    err.raise("FeatureSpace: unknown kind of feature '%s'; expected %s%s", kind,
      table.concat(names, ", "), err.suggest(kind, names))
  end
  if kind == "float_discretized" then return make{defaults.num_discretization_bins} end
  if kind:find("hashed", 1, true) then return make{defaults.hashing_dim} end
  return make()
end

-- what layers learn ------------------------------------------------------------------------------

local function class_name(layer) return layer and layer.class_name end

--- True when the layer wants data before it can be called.
function feature.adapts(layer)
  local name = class_name(layer)
  if name == "StringLookup" or name == "IntegerLookup" or name == "Normalization"
    or name == "Discretization" then
    return not layer.given
  end
  return false
end

--- What adapt took from the data, as plain values; nil before, or when there is nothing.
function feature.state(layer)
  if not feature.adapts(layer) then return nil end
  local name = class_name(layer)
  if name == "Normalization" then
    if not layer.adapted_mean then return nil end
    return {mean = layer.adapted_mean.tensor:totable(),
      variance = layer.adapted_variance.tensor:totable()}
  elseif name == "Discretization" then
    return layer.bin_boundaries and {boundaries = core.json.array(layer.bin_boundaries)}
  end
  return {vocabulary = core.json.array(layer:get_vocabulary(false))}
end

--- A layer as plain values, without what adapt took (that is its state).
function feature.describe(layer)
  local out = require("nnlua.saving.objects").serialize(layer)
  if feature.adapts(layer) then out.config.bin_boundaries = nil end
  return out
end

--- Gives a fresh layer a state of feature.state.
function feature.set_state(layer, state)
  local name = class_name(layer)
  if name == "Normalization" then
    layer:ensure_built{false, #state.mean}
    layer.adapted_mean:assign(core.new(state.mean))
    layer.adapted_variance:assign(core.new(state.variance))
  elseif name == "Discretization" then
    layer:set_boundaries(state.boundaries)
  else
    layer:set_vocabulary(state.vocabulary)
  end
end

--- Number of indices that a preprocessing layer gives, for one-hot columns.
function feature.cardinality(layer, name)
  local kind = class_name(layer)
  if kind == "StringLookup" or kind == "IntegerLookup" then return layer:vocabulary_size() end
  if kind == "Hashing" or kind == "HashedCrossing" then return layer.num_bins end
  if kind == "CategoryEncoding" then return layer.num_tokens end
  if kind == "Discretization" then return layer.num_bins or #layer.bin_boundaries + 1 end
  return err.raise("FeatureSpace: feature '%s': a %s gives no indices, so output_mode 'one_hot' is "
    .. "not possible", name, kind or "raw value")
end

return feature
