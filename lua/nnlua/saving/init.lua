-- nn.saving: models and weights as files; the format follows the file's ending. One line a format.

local args = require "nnlua.args"
local behind = require "nnlua.saving.behind"
local err = require "nnlua.err"
local objects = require "nnlua.saving.objects"
local sys = require("nnlua.core").sys

local saving = {}

-- Endings, longest first. `model`: whole models; `weights`: weights alone.
local formats = {
  {ending = ".weights.h5", module = "nnlua.saving.weights_h5", weights = true},
  {ending = ".weights.json", module = "nnlua.saving.sharded", weights = true},
  {ending = ".safetensors", module = "nnlua.saving.safetensors", model = true, weights = true},
  {ending = ".keras", module = "nnlua.saving.keras", model = true, weights = true},
  {ending = ".hdf5", module = "nnlua.saving.legacy_h5", model = true, weights = true},
  {ending = ".h5", module = "nnlua.saving.legacy_h5", model = true, weights = true},
  {ending = ".npz", module = "nnlua.saving.npz", weights = true},
}

local rank = {[".keras"] = 1, [".weights.h5"] = 2, [".h5"] = 3, [".hdf5"] = 4,
  [".safetensors"] = 5, [".npz"] = 6, [".weights.json"] = 7}

local function endings(kind)
  local list = {}
  for _, f in ipairs(formats) do if f[kind] then list[#list + 1] = f.ending end end
  table.sort(list, function(a, b) return (rank[a] or 9) < (rank[b] or 9) end)
  return table.concat(list, ", ", 1, #list - 1) .. " or " .. list[#list]
end

local function format_of(path, kind, where)
  err.check(type(path) == "string", "%s: path is %s, expected a string", where, err.show(path))
  for _, f in ipairs(formats) do
    if path:sub(-#f.ending) == f.ending then
      if f[kind] then return require(f.module) end
      return err.raise("%s: %s files hold weights alone: %s; whole models end in %s", where,
        f.ending, where == "save" and "use save_weights" or "build the model and use load_weights",
        endings(kind))
    end
  end
  local ending = path:match "[^/](%.[^./]*)$"
  return err.raise("%s: unknown ending '%s'; expected %s", where, ending or "", endings(kind))
end

-- Files that are still being written are waited for, as this may be one of them.
local function check_overwrite(path, overwrite, where)
  behind.join()
  if overwrite == false and sys.exists(path) then
    err.raise("%s: %s exists, and overwrite is false", where, path)
  end
end

local function check_present(path, where)
  behind.join()
  if not sys.exists(path) then err.raise("%s: %s: no such file", where, path) end
end

-- Where a file cannot be read and the save before it was kept, the error says so.
local function read(path, f, ...)
  local result = table.pack(pcall(f, ...))
  if result[1] then return table.unpack(result, 2, result.n) end
  local text, kept = tostring(result[2]), path .. behind.previous
  if type(result[2]) == "string" and sys.exists(kept) then
    text = ("%s; the save before it is %s"):format(text, kept)
  end
  error(type(result[2]) == "string" and text or result[2], 0)
end

-- "m.keras" for "m.keras.bkp", whose format is the same.
local function without_previous(path)
  return type(path) == "string" and path:sub(-#behind.previous) == behind.previous
    and path:sub(1, -#behind.previous - 1) or path
end

--- Caps for everything that is loaded from now on: bytes of a file's tensors, number of tensors,
--- depth.
---@param a {bytes: integer?, tensors: integer?, depth: integer?}
function saving.limits(a)
  err.check(type(a) == "table", "limits: expected {bytes=, tensors=, depth=}")
  for key, v in pairs(a) do
    if key ~= "bytes" and key ~= "tensors" and key ~= "depth" then
      err.raise("limits: unknown argument '%s'; expected bytes, tensors, depth", tostring(key))
    end
    if type(v) ~= "number" or math.tointeger(v) == nil or v < 1 then
      err.raise("limits: %s is %s, expected an integer above 0", key, err.show(v))
    end
  end
  saving.current_limits = a
end

--- Writes architecture, weights, compile arguments and the optimizer's state.
saving.save_model = args.fn("save", "model, filepath, overwrite=True, zipped=None",
  function(model, path, overwrite)
    local format = format_of(path, "model", "save")
    check_overwrite(path, overwrite, "save")
    format.save_model(model, path)
  end)

--- Begins to write the model (or its weights alone) on a thread: gives a job, whose wait() returns
--- when the file is in place. options: weights, previous (where the file that it replaces stays),
--- spare (what wait(true) of an earlier job gave: its memory).
function behind.save(model, path, options)
  local format = format_of(path, options.weights and "weights" or "model", "save")
  local how = {previous = options.previous, spare = options.spare}
  if not options.weights then return format.save_model(model, path, how) end
  return format.save_weights(model, path, {behind = how})
end

--- Reads a model. `custom_objects`: {name = class or function} that the file may name.
---@return nn.Model
saving.load_model = args.fn("load_model",
  "filepath, custom_objects=None, compile=True, safe_mode=True",
  function(path, custom, compile)
    err.check(custom == nil or args.is_record(custom),
      "load_model: custom_objects is %s, expected {name = class or function}", err.show(custom))
    local onnx = type(path) == "string" and path:find "%.onnx$"
    local format = onnx and require "nnlua.saving.onnx_read"
      or format_of(without_previous(path), "model", "load_model")
    check_present(path, "load_model")
    return read(path, format.load_model, path, {custom_objects = custom, compile = compile ~= false,
      limits = saving.current_limits, blank = true})
  end)

--- Writes the weights alone.
saving.save_weights = args.fn("save_weights",
  "model, filepath, overwrite=True, max_shard_size=None",
  function(model, path, overwrite, shard)
    local format = format_of(path, "weights", "save_weights")
    err.check(model.built, "save_weights: the model is not built; give input_shape or call build")
    check_overwrite(path, overwrite, "save_weights")
    format.save_weights(model, path, {max_shard_size = shard})
  end)

-- A record with a misspelt name comes as the first of these.
local function check_switches(skip_mismatch, by_name, objects_to_skip)
  for key in pairs(args.is_record(skip_mismatch) and skip_mismatch or {}) do
    local names = {"skip_mismatch", "by_name", "objects_to_skip"}
    err.raise("load_weights: unknown argument '%s'%s", tostring(key),
      err.suggest(tostring(key), names))
  end
  for name, v in pairs{skip_mismatch = skip_mismatch, by_name = by_name} do
    err.check(type(v) == "boolean", "load_weights: %s is %s, expected true or false", name,
      err.show(v))
  end
  err.check(objects_to_skip == nil or args.is_record(objects_to_skip),
    "load_weights: objects_to_skip is %s, expected a list of layers", err.show(objects_to_skip))
end

--- Reads weights into a model; on an error the model keeps its own.
saving.load_weights = args.fn("load_weights",
  "model, filepath, skip_mismatch=False, by_name=False, objects_to_skip=None",
  function(model, path, skip_mismatch, by_name, objects_to_skip)
    local format = format_of(without_previous(path), "weights", "load_weights")
    check_switches(skip_mismatch, by_name, objects_to_skip)
    err.check(model.built, "load_weights: the model is not built; give input_shape or call build")
    check_present(path, "load_weights")
    read(path, format.load_weights, model, path, {skip_mismatch = skip_mismatch, by_name = by_name,
      objects_to_skip = objects_to_skip, limits = saving.current_limits})
  end)

--- Writes a model for other programs: .onnx, or .c (one self-contained C file).
saving.export = args.fn("export", "model, filepath", function(model, path)
  err.check(type(path) == "string", "export: path is %s, expected a string", err.show(path))
  local ending = path:match("(%.[^./]*)$")
  local modules = {[".onnx"] = "nnlua.saving.onnx", [".c"] = "nnlua.saving.c_source"}
  if not modules[ending] then
    err.raise("export: unknown ending '%s'; expected .onnx or .c", ending or "")
  end
  require(modules[ending]).export(model, path)
end)

saving.register_serializable = objects.register_serializable
saving.register_keras_serializable = objects.register_serializable
saving.serialize_keras_object = objects.serialize

--- The object from what serialize_keras_object gave (such a table is not a record of arguments).
function saving.deserialize_keras_object(config, custom_objects)
  if args.is_record(config) and config.class_name == nil then
    config, custom_objects = config.config or config[1], config.custom_objects
  end
  return require("nnlua.saving.config").with_custom(custom_objects, objects.deserialize, config)
end

function saving.model_from_json(...)
  return require("nnlua.saving.config").model_from_json(...)
end

return saving
