-- nnlua spec/saving/mutate_worker.lua FOLDER FIRST LAST SOURCES...: for each number from FIRST to
-- LAST a file, broken in a way that the number decides, is written to FOLDER and loaded in every
-- way there is. Allowed is success or an error that says where; "FOUND number: ..." tells the rest.

local nn = require "nnlua"
local core = require "nnlua.core"
local inspect = require "nnlua.inspect"
local mutations = require "mutations"

local folder, first, last = arg[1], math.tointeger(arg[2]), math.tointeger(arg[3])
local sources = table.move(arg, 4, #arg, 1, {})
local slow = tonumber(os.getenv "MUTATE_SECONDS") or 2
local most_memory = (tonumber(os.getenv "MUTATE_MEMORY") or 128) << 20
local limits = {bytes = 16 << 20, tensors = 5000, depth = 100}
local marks = os.getenv "MUTATE_MARKS" -- for strace: a path that is not there, opened around loads

require("nnlua.terminal").warn = function() end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local endings = {".weights.h5", ".keras", ".h5", ".safetensors", ".npz", ".onnx"}

local function ending_of(path)
  for _, e in ipairs(endings) do if path:sub(-#e) == e then return e end end
end

-- models to load weights into: the one beside the file, as .keras
local models = {}

-- Other weights and slots than those of the file: what is written shows.
local function shaken(model)
  local list = model:get_weights()
  for i, w in ipairs(list) do list[i] = w + 0.25 end
  if #list > 0 then model:set_weights(list) end
  local optimizer = model.optimizer
  for _, v in ipairs(optimizer and optimizer.built and optimizer.variables or {}) do
    if v.dtype == "float32" then v:assign(v.tensor + 0.25) end
  end
  return model
end

local function model_of(source)
  local path = source:sub(1, -#ending_of(source) - 1) .. ".keras"
  if models[path] == nil then
    local ok, model = pcall(nn.saving.load_model, path)
    models[path] = ok and shaken(model)
  end
  return models[path]
end

local function fingerprint(model)
  local list = model:get_weights()
  local optimizer = model.optimizer
  for _, v in ipairs(optimizer and optimizer.built and optimizer.variables or {}) do
    list[#list + 1] = core.is_tensor(v) and v or v.tensor
  end
  return core.sha256(list) .. model:to_json()
end

-- what a load may do ------------------------------------------------------------------------------

local function memory(key)
  local file = io.open "/proc/self/status"
  local text = file and file:read "a" or ""
  if file then file:close() end
  return (tonumber(text:match(key .. ":%s*(%d+)")) or 0) << 10
end

local function reset_peak()
  local file = io.open("/proc/self/clear_refs", "w")
  if not file then return end
  file:write "5"
  file:close()
end

local function mark(text) if marks then io.open(marks .. "/" .. text) end end

-- Texts of Lua itself: something was used as what it is not.
local internal = {"attempt to ", "bad argument #", "number has no integer rep", "stack overflow",
  "'for' ", "invalid value %(", "invalid option", "string length overflow", "invalid key to"}

local at, case_path

local function found(what, text)
  local keep = ("%s/found-%d%s"):format(folder, at, ending_of(case_path))
  write(keep, read(case_path))
  print(("FOUND %d: %s: %s"):format(at, what, (tostring(text):gsub("\n.*", ""):sub(1, 400))))
end

local function check_error(what, message)
  if type(message) ~= "string" then return found(what, "an error that is no text") end
  message = message:gsub("has a value of the wrong kind %b()", "")
  for _, pattern in ipairs(internal) do
    if message:find(pattern) then return found(what, message) end
  end
  if not message:find(case_path, 1, true) then found(what, "an error without path: " .. message) end
end

local counts = {loaded = 0, refused = 0}

local function attempt(what, f, ...)
  local before = memory "VmRSS"
  reset_peak()
  mark "begin"
  local start = os.clock()
  local ok, message = pcall(f, ...)
  local seconds = os.clock() - start
  mark "end"
  local more = memory "VmHWM" - before
  counts[ok and "loaded" or "refused"] = counts[ok and "loaded" or "refused"] + 1
  if not ok then check_error(what, message) end
  if seconds > slow then found(what, ("%.1f seconds"):format(seconds)) end
  if more > most_memory then found(what, ("%d MiB of memory"):format(more >> 20)) end
  return ok, message
end

local function attempt_weights(model, path, options)
  local before = fingerprint(model)
  local ok = attempt("load_weights", model.load_weights, model, path, options)
  if not ok and fingerprint(model) ~= before then
    found("load_weights", "a load that failed has changed the model")
  end
end

-- one file ----------------------------------------------------------------------------------------

local function mutated_keras(source, other)
  local zip = core.zip.open(source)
  local members = {}
  for i, m in ipairs(zip:names()) do members[i] = {m[1], zip:read(m[1])} end
  zip:close()
  local m = members[math.random(#members)]
  if math.random() < 0.7 then
    for _, one in ipairs(members) do if one[1] == "config.json" then m = one end end
  end
  if m[1] == "config.json" and math.random() < 0.9 then
    m[2] = mutations.config(m[2])
  else
    m[2] = mutations.bytes(m[2], other)
  end
  if not m[2] then return nil end
  core.behind.zip(case_path, members):wait()
  return true
end

local function mutated_safetensors(source)
  local values, metadata = core.safetensors.load(source)
  if not metadata.config then return nil end
  metadata.config = mutations.config(metadata.config)
  if not metadata.config then return nil end
  local list = {}
  for name, t in pairs(values) do list[#list + 1] = {name, t} end
  core.safetensors.save(case_path, list, metadata)
  return true
end

-- The legacy layout: its JSON texts stand in attributes of the root.
local function mutated_h5(source)
  local file = core.hdf5.open(source)
  local items = {}
  local function add(node, path)
    if node.kind == "dataset" then
      items[#items + 1] = {"tensor", path, file:read(path)}
      return
    end
    items[#items + 1] = {"group", path}
    for name, v in pairs(node.attributes) do
      if name == "nnlua_crc32" then goto continue end -- the writer makes it anew
      if type(v) == "string" then items[#items + 1] = {"text", path, name, v}
      elseif type(v) == "table" then items[#items + 1] = {"texts", path, name, v} end
      ::continue::
    end
    for _, child in ipairs(node.children) do
      add(child, path == "" and child.name or path .. "/" .. child.name)
    end
  end
  add(file:tree(), "")
  for _, item in ipairs(items) do
    local wanted = item[3] == "model_config" or item[3] == "training_config"
      and math.random() < 0.5
    if item[1] == "text" and wanted then item[4] = mutations.config(item[4]) end
    if item[1] == "text" and not item[4] then return nil end
  end
  core.hdf5.save(case_path, items)
  return true
end

local structured = {[".keras"] = mutated_keras, [".safetensors"] = mutated_safetensors,
  [".h5"] = mutated_h5}

local function make_case()
  local source = sources[math.random(#sources)]
  local other = read(sources[math.random(#sources)])
  local ending = ending_of(source)
  case_path = folder .. "/case" .. ending
  local make = structured[ending]
  if make and math.random() < 0.6 and make(source, other) then return source, ending end
  write(case_path, mutations.bytes(read(source), other))
  return source, ending
end

local function run(number)
  at = number
  math.randomseed(number, 0)
  local source, ending = make_case()
  local options = {skip_mismatch = math.random() < 0.3, by_name = math.random() < 0.2}
  if ending ~= ".weights.h5" and ending ~= ".npz" then
    attempt("load_model", nn.saving.load_model, case_path)
  end
  local model = ending ~= ".onnx" and model_of(source)
  if model then attempt_weights(model, case_path, options) end
  attempt("inspect", function()
    inspect.print(inspect.file(case_path), function() end)
  end)
  if number % 50 == 0 then nn.utils.clear_session() end
end

for _, source in ipairs(sources) do -- whatever is loaded once is loaded now
  model_of(source)
  pcall(inspect.file, source)
end
nn.saving.limits(limits)
for number = first, last do
  write(folder .. "/number", tostring(number))
  local ok, message = pcall(run, number)
  if not ok then print(("FOUND %d: the test itself: %s"):format(number, tostring(message))) end
end
print(("DONE %d loaded, %d refused"):format(counts.loaded, counts.refused))
