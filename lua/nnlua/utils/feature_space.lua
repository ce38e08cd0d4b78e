-- nn.utils.FeatureSpace: from rows of named columns to a model's input.
--
-- Each feature has a preprocessing layer, adapted to the training rows alone; the outputs stand
-- side by side, features in byte order of their names, then crosses, as in Keras. Rows are an
-- nn.data.Table or a table name -> list of cells (or one row: name -> cell).
--
-- Beyond Keras: a missing cell (false) is 0 in a normalized column, an unknown token in a
-- categorical one, and an error elsewhere.

local core = require "nnlua.core"
local class = require "nnlua.class"
local err = require "nnlua.err"
local feature = require "nnlua.utils.feature"
local objects = require "nnlua.saving.objects"

local Feature, Cross = feature.Feature, feature.Cross

---@class nn.utils.FeatureSpace
---@field features table<string, nn.utils.Feature>
---@field preprocessors table<string, nn.Layer>
---@field crossers table<string, nn.Layer>
---@field output_mode string "concat" or "dict"
local FeatureSpace = class.new("FeatureSpace", {
  args = [[features, output_mode="concat", crosses=None, crossing_dim=32, hashing_dim=32,
    num_discretization_bins=32, name=None]],
})

for name, make in pairs(feature.kinds) do FeatureSpace[name] = make end

--- A feature with a preprocessing layer of one's own.
---@param dtype string "float32", "int32" or "string"
---@param preprocessor nn.Layer
---@param output_mode string "float", "int" or "one_hot"
---@return nn.utils.Feature
function FeatureSpace.feature(...) return Feature(...) end

--- Columns whose combinations are hashed to crossing_dim numbers.
---@param feature_names string[]
---@param crossing_dim integer
---@param output_mode string? "one_hot" or "int"
---@return nn.utils.Cross
function FeatureSpace.cross(...) return Cross(...) end

-- making -----------------------------------------------------------------------------------------

local function standardize(name, v, defaults)
  if type(v) == "string" then return feature.named(v, defaults) end
  if class.is(v, Feature) then return v end
  return err.raise("FeatureSpace: feature '%s' is %s, expected the name of a kind or a feature",
    name, err.show(v))
end

local function add_cross(self, v, dim)
  if type(v) == "table" and not class.is(v, Cross) then v = Cross{v, crossing_dim = dim} end
  err.check(class.is(v, Cross), "FeatureSpace: a cross is %s, expected names of columns",
    err.show(v))
  for _, name in ipairs(v.feature_names) do
    local f = self.features[name]
    err.check(f, "FeatureSpace: the cross '%s' names '%s', which is no feature", v.name, name)
    if f.dtype == "float32" then
      err.raise("FeatureSpace: the cross '%s' names '%s', which holds numbers that are not whole",
        v.name, name)
    end
  end
  self.crosses[#self.crosses + 1] = v
  self.crossers[v.name] = require("nnlua.layers").HashedCrossing{v.crossing_dim}
end

function FeatureSpace:init(a)
  err.check(type(a.features) == "table" and next(a.features) ~= nil,
    "FeatureSpace: features is %s, expected a table name -> feature", err.show(a.features))
  if a.output_mode ~= "concat" and a.output_mode ~= "dict" then
    err.raise("FeatureSpace: output_mode is %s, expected concat or dict", tostring(a.output_mode))
  end
  self.output_mode, self.name = a.output_mode, a.name or "feature_space"
  self.features, self.preprocessors, self.names = {}, {}, {}
  self.crosses, self.crossers = {}, {}
  for name, v in pairs(a.features) do
    if type(name) ~= "string" then
      err.raise("FeatureSpace: the key %s of features is no column's name", tostring(name))
    end
    self.features[name] = standardize(name, v, a)
    self.preprocessors[name] = self.features[name].preprocessor
    self.names[#self.names + 1] = name
  end
  table.sort(self.names)
  for _, v in ipairs(a.crosses or {}) do add_cross(self, v, a.crossing_dim) end
  table.sort(self.crosses, function(x, y) return x.name < y.name end)
  rawset(self, "adapted", not self:needs_data())
end

function FeatureSpace:needs_data()
  for _, name in ipairs(self.names) do
    if feature.adapts(self.preprocessors[name]) then return true end
  end
  return false
end

-- cells ------------------------------------------------------------------------------------------

local function is_table(data) return class.is(data, require("nnlua.data").Table) end

local function one_row(data)
  local _, v = next(data)
  return v ~= nil and type(v) ~= "table" and not core.is_tensor(v)
end

-- The cells of a feature's column as a list, and whether `data` was one row.
local function cells_of(data, name, where)
  if is_table(data) then
    if not data.index[name] then
      err.raise("%s: the rows have no column '%s'%s", where, name,
        err.suggest(name, data.columns))
    end
    return data:column(name)
  end
  local v = data[name]
  err.check(v ~= nil, "%s: the rows have no column '%s'", where, name)
  if core.is_tensor(v) then return core.totable(v:reshape{v.size}) end
  if type(v) ~= "table" then return {v} end
  if type(v[1]) ~= "table" then return v end
  local out = {}
  for i, cell in ipairs(v) do out[i] = cell[1] end
  return out
end

local function as_text(v) return math.tointeger(v) and ("%d"):format(v) or tostring(v) end

-- One cell as the feature's dtype, nil where it is missing.
local function cell_as(v, dtype, where, name, row)
  if v == false or v == nil or v ~= v then return nil end
  if dtype == "string" then
    if type(v) == "number" then return as_text(v) end
    if type(v) == "string" then return v end
  elseif dtype == "int32" then
    local n = math.tointeger(tonumber(v))
    if n then return n end
  elseif type(v) == "number" then
    return v
  end
  return err.raise("%s: column '%s', row %d is %s, expected %s", where, name, row,
    type(v) == "string" and ("'%s'"):format(v) or tostring(v),
    ({string = "a text", int32 = "a whole number", float32 = "a number"})[dtype])
end

-- The cells that are present, converted.
local function present(data, name, dtype, where)
  local out = {}
  for row, v in ipairs(cells_of(data, name, where)) do
    out[#out + 1] = cell_as(v, dtype, where, name, row)
  end
  return out
end

-- What stands for a missing cell: the mean, or a token that no vocabulary holds.
local function fill_of(layer, f)
  local kind = layer and layer.class_name
  if kind == "Normalization" then
    local mean = layer.given and core.new(layer.mean) or layer.adapted_mean.tensor
    return mean:reshape{-1}[1]
  elseif kind == "StringLookup" and layer.num_oov_indices > 0 then
    return layer.oov_token
  elseif kind == "IntegerLookup" and layer.num_oov_indices > 0 then
    return layer.oov_token
  elseif f.dtype == "string" and kind == "Hashing" then
    return ""
  end
end

local function filled(self, data, name, where)
  local f, layer = self.features[name], self.preprocessors[name]
  local list, fill = cells_of(data, name, where), nil
  local out = {}
  for row, v in ipairs(list) do
    local cell = cell_as(v, f.dtype, where, name, row)
    if cell == nil then
      fill = fill or fill_of(layer, f)
      if fill == nil then
        err.raise("%s: column '%s' has a missing cell in row %d", where, name, row)
      end
      cell = fill
    end
    out[row] = cell
  end
  return out
end

-- adapting ---------------------------------------------------------------------------------------

-- Columns of all batches of a data set whose x are tables name -> cells.
local function collect(self, dataset)
  local all = {}
  for _, name in ipairs(self.names) do all[name] = {} end
  for element in dataset.make() do
    local x = element[1]
    for _, name in ipairs(self.names) do
      local cells = cells_of(x, name, "adapt")
      table.move(cells, 1, #cells, #all[name] + 1, all[name])
    end
  end
  return all
end

--- Takes vocabularies, means and boundaries from rows: give it the training rows alone. Missing
--- cells count nowhere.
---@param data nn.data.Table|nn.data.Dataset|table<string, any[]>
---@return nn.utils.FeatureSpace self
function FeatureSpace:adapt(data)
  err.check(type(data) == "table", "adapt: expected rows of named columns, got %s", err.show(data))
  if class.is(data, require("nnlua.data").Dataset) then data = collect(self, data) end
  for _, name in ipairs(self.names) do
    local layer, f = self.preprocessors[name], self.features[name]
    if feature.adapts(layer) then
      local cells = present(data, name, f.dtype, "adapt")
      if #cells == 0 then err.raise("adapt: column '%s' has no cell that is present", name) end
      if f.dtype == "float32" then
        cells = core.new(cells):reshape{#cells, 1}
      elseif f.dtype == "int32" then
        cells = core.new(cells, "int32")
      end
      layer:adapt(cells)
    end
  end
  rawset(self, "adapted", true)
  return self
end

-- calling ----------------------------------------------------------------------------------------

local function one_hot(indices, layer, name)
  local depth = feature.cardinality(layer, name)
  return require("nnlua.layers").CategoryEncoding{depth, output_mode = "multi_hot"}(indices)
end

local function encode(self, name, cells)
  local f, layer = self.features[name], self.preprocessors[name]
  local x = cells
  if f.dtype ~= "string" then x = core.new(cells, f.dtype):reshape{#cells, 1} end
  if layer then x = layer(x) end
  if not core.is_tensor(x) then return x end -- texts as they are
  if x.ndim == 1 then x = x:reshape{#x, 1} end
  if f.output_mode == "one_hot" then
    if x.dtype == "float32" then
      err.raise("FeatureSpace: feature '%s' has output_mode 'one_hot', so its preprocessor should "
        .. "give whole numbers", name)
    end
    x = one_hot(x, layer, name)
  end
  return x
end

local function encode_cross(self, cross, raw)
  local inputs = {}
  for i, name in ipairs(cross.feature_names) do inputs[i] = raw[name] end
  local layer = self.crossers[cross.name]
  local x = layer(inputs)
  x = x:reshape{x.size, 1}
  return cross.output_mode == "one_hot" and one_hot(x, layer, cross.name) or x
end

local function concatenated(names, outputs)
  local list = {}
  for i, name in ipairs(names) do
    local x = outputs[name]
    if not core.is_tensor(x) or x.dtype ~= "float32" then
      err.raise("FeatureSpace: feature '%s' is not encoded (it holds %s), so it cannot be "
        .. "concatenated; consider output_mode='dict'", name,
        core.is_tensor(x) and x.dtype or "texts")
    end
    list[i] = x
  end
  return require("nnlua.ops").concatenate{list, axis = -1}
end

--- Rows as a model's input: a float32 tensor (rows, columns), or with output_mode "dict" a table
--- name -> tensor. One row (name -> cell) gives the output without its first axis.
---@param data nn.data.Table|table<string, any>
---@return nn.Tensor|table<string, nn.Tensor>
function FeatureSpace:encode(data)
  err.check(type(data) == "table", "FeatureSpace: expected rows of named columns, got %s",
    err.show(data))
  err.check(self.adapted, "FeatureSpace: call adapt on the training rows first")
  local single = not is_table(data) and one_row(data)
  local raw, outputs, names = {}, {}, table.move(self.names, 1, #self.names, 1, {})
  for _, name in ipairs(self.names) do
    raw[name] = filled(self, data, name, "FeatureSpace")
    outputs[name] = encode(self, name, raw[name])
  end
  for _, cross in ipairs(self.crosses) do
    outputs[cross.name] = encode_cross(self, cross, raw)
    names[#names + 1] = cross.name
  end
  local function finish(x)
    if single then return core.is_tensor(x) and core.astype(x[1]) or x[1] end
    return x
  end
  if self.output_mode == "concat" then return finish(concatenated(names, outputs)) end
  for name, x in pairs(outputs) do outputs[name] = finish(x) end
  return outputs
end

FeatureSpace.__call = function(self, data) return self:encode(data) end

--- Number of columns of the output of "concat"; with "dict" a table name -> columns.
---@return integer|table<string, integer>
function FeatureSpace:output_width()
  local function width(layer, mode, name)
    return mode == "one_hot" and feature.cardinality(layer, name) or 1
  end
  local sum, by_name = 0, {}
  for _, name in ipairs(self.names) do
    by_name[name] = width(self.preprocessors[name], self.features[name].output_mode, name)
    sum = sum + by_name[name]
  end
  for _, cross in ipairs(self.crosses) do
    by_name[cross.name] = width(self.crossers[cross.name], cross.output_mode, cross.name)
    sum = sum + by_name[cross.name]
  end
  return self.output_mode == "concat" and sum or by_name
end

--- Inputs for a functional model that takes what the space gives: an nn.Input of output_width()
--- columns, or a table of them by name.
function FeatureSpace:get_encoded_features()
  err.check(self.adapted, "FeatureSpace: call adapt on the training rows first")
  local Input, width = require("nnlua.keras_tensor").Input, self:output_width()
  if self.output_mode == "concat" then return Input{shape = {width}} end
  local inputs = {}
  for name, n in pairs(width) do inputs[name] = Input{shape = {n}, name = name} end
  return inputs
end

-- saving -----------------------------------------------------------------------------------------

--- The space with all that it learned, as plain values.
---@return table
function FeatureSpace:get_config()
  local features, crosses = {}, {}
  for _, name in ipairs(self.names) do
    local f, layer = self.features[name], self.preprocessors[name]
    features[name] = {dtype = f.dtype, output_mode = f.output_mode,
      preprocessor = layer and feature.describe(layer) or nil,
      state = layer and feature.state(layer) or nil}
  end
  for i, cross in ipairs(self.crosses) do
    crosses[i] = {feature_names = core.json.array(cross.feature_names),
      crossing_dim = cross.crossing_dim, output_mode = cross.output_mode}
  end
  return {features = features, crosses = core.json.array(crosses), output_mode = self.output_mode,
    name = self.name}
end

--- A space from get_config, adapted as that one was.
---@param config table
---@return nn.utils.FeatureSpace
function FeatureSpace.from_config(config)
  err.check(type(config) == "table" and type(config.features) == "table",
    "FeatureSpace: the configuration holds no features")
  local features, crosses, missing = {}, {}, false
  for name, f in pairs(config.features) do
    local layer = type(f.preprocessor) == "table" and objects.deserialize(f.preprocessor) or nil
    if type(f.state) == "table" then feature.set_state(layer, f.state)
    elseif feature.adapts(layer) then missing = true end
    features[name] = Feature{f.dtype, layer, f.output_mode}
  end
  for i, c in ipairs(config.crosses or {}) do
    crosses[i] = Cross{table.move(c.feature_names, 1, #c.feature_names, 1, {}), c.crossing_dim,
      c.output_mode}
  end
  local self = FeatureSpace{features, output_mode = config.output_mode, crosses = crosses,
    name = config.name}
  rawset(self, "adapted", not missing)
  return self
end

--- Writes the space as JSON.
---@param path string
function FeatureSpace:save(path)
  local ok, why = core.sys.fsync_write(path, core.json.encode(self:get_config(), true))
  err.check(ok, "FeatureSpace: %s", why)
end

--- Reads what save wrote.
---@param path string
---@return nn.utils.FeatureSpace
function FeatureSpace.load(path)
  core.check_files("FeatureSpace.load")
  err.check(type(path) == "string", "FeatureSpace: path is %s, expected a string", err.show(path))
  local limits = require("nnlua.saving").current_limits
  return FeatureSpace.from_config(core.json.decode(core.sys.read(path, limits), path, limits))
end

return FeatureSpace
