-- Models that take raw rows: a FeatureSpace that belongs to a model is part of what is saved with
-- it (model.extra_config), so that a loaded model takes the rows that the first one took.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"

local rows = {}

--- model.feature_space = space: the space must be adapted; nil takes it away.
function rows.attach(model, space)
  local extra = model.extra_config or {}
  rawset(model, "extra_config", extra)
  if space ~= nil then
    local FeatureSpace = require "nnlua.utils.feature_space"
    err.check(class.is(space, FeatureSpace), "feature_space is %s, expected a FeatureSpace",
      err.show(space))
    err.check(space.adapted, "feature_space: call adapt on the training rows first")
  end
  extra.feature_space = space and space:get_config() or nil
  rawset(model, "own_feature_space", space)
end

--- model.feature_space: the space that was given, or the one that was loaded with the model.
function rows.of(model)
  local space = rawget(model, "own_feature_space")
  local extra = rawget(model, "extra_config")
  if not space and extra and type(extra.feature_space) == "table" then
    space = require("nnlua.utils.feature_space").from_config(extra.feature_space)
    rawset(model, "own_feature_space", space)
  end
  return space
end

-- Rows of named columns that the space can take: every feature has its column.
local function has_columns(x, space)
  if type(x) ~= "table" or getmetatable(x) ~= nil then return false end
  for name in pairs(space.features) do
    local v = x[name]
    if v == nil then return false end
    if core.is_tensor(v) and (space.output_mode == "dict"
      or space.features[name].dtype == "string") then
      return false -- encoded already
    end
  end
  return true
end

--- x as the model's input: raw rows go through the model's feature space, everything else stays.
function rows.encode(model, x)
  local extra = rawget(model, "extra_config")
  if type(x) ~= "table" or not extra or not extra.feature_space then return x end
  local space = rows.of(model)
  if x.is_data_table or has_columns(x, space) then return space:encode(x) end
  return x
end

--- predict for raw rows: an nn.data.Table, a table name -> list of cells, or one row (name ->
--- cell), which gives the output without its first axis. The model wants a feature_space.
---@type fun(model: nn.Model, rows: nn.data.Table|table, options: table?): nn.Tensor
rows.predict_rows = args.fn("predict_rows", "model, rows, batch_size=None, verbose=0",
  function(model, data, batch_size, verbose)
    local space = rows.of(model)
    err.check(space, "predict_rows: the model has no feature_space")
    local single = type(data) == "table" and not data.is_data_table
    for _, v in pairs(single and data or {}) do single = single and type(v) ~= "table" end
    if single then
      local one = {}
      for name, v in pairs(data) do one[name] = {v} end
      data = one
    end
    local y = model:predict{space:encode(data), batch_size = batch_size, verbose = verbose}
    if single and core.is_tensor(y) then return core.astype(core.view(y, {{1, 1}})[1]) end
    return y
  end)

return rows
