-- The saved files of conformance/training/files: each ending loads, predicts, evaluates, holds the
-- optimizer's variables and trains on as Keras did; the damaged ones are errors.

local nn = require "nnlua"
local core = require "nnlua.core"
local build = require "spec.conformance.build"
local json = require "spec.conformance.json"
local values = require "spec.conformance.values"
local files = require "spec.support.files"

local function first_rows(x)
  local function first(t) return core.astype(core.view(t, {{1, math.min(5, t.shape[1])}})) end
  if core.is_tensor(x) then return first(x) end
  return require("nnlua.tree").map(first, x)
end

-- A compiled model with the file's weights: whole models load, weights go into a new one.
local function load(case, path, ending)
  if ending == "keras" or ending == "h5" then return nn.saving.load_model(path) end
  local model = build.model(case.model)
  if case.compile ~= nil and case.compile ~= values.null then
    model:compile(build.compile(case.compile))
  end
  model:load_weights(path)
  return model
end

local function check_optimizer(failures, model, want, tolerance, where)
  local o, list = model.optimizer, {}
  if o.class_name ~= want.class_name or o.iterations ~= want.iterations then
    failures[#failures + 1] = ("%s: optimizer %s at %s"):format(where, o.class_name, o.iterations)
  end
  for i, v in ipairs(o.variables) do list[i] = v.tensor end
  for i, w in ipairs(want.variables) do
    local d = list[i] == nil and "missing"
      or values.differs_deep(list[i], w.value, tolerance, "optimizer " .. w.path)
    if d then failures[#failures + 1] = where .. ": " .. d end
  end
end

local function check_file(case, context, path, ending, failures)
  nn.utils.clear_session()
  local e, t = case.expected, case.tolerance
  local x, y = build.data(case.data.x, context), build.data(case.data.y, context)
  local model = load(case, path, ending)
  local function check(name, got, want, tolerance)
    if want == nil or want == values.null then return end
    local d = values.differs_deep(got, want, tolerance or t, name)
    if d then failures[#failures + 1] = ending .. ": " .. d end
  end
  for i, w in ipairs(case.weights) do
    check("weight " .. w.path, model.weights[i].tensor, w.value)
  end
  check("predict", model:predict{first_rows(x), verbose = 0}, e.predict)
  if not model.compiled then return end
  check("evaluate", model:evaluate{x, y, batch_size = 32, verbose = 0, return_dict = true},
    e.evaluate)
  if ending == "safetensors" then return end
  if e.optimizer and e.optimizer ~= values.null then
    check_optimizer(failures, model, e.optimizer, t, ending)
  end
  if e.continued and e.continued ~= values.null then
    local history = model:fit{x, y, epochs = 2, batch_size = 32, shuffle = false, verbose = 0}
    check("continued", history.history, e.continued.history or e.continued, t.continued)
  end
end

local function run_case(case, context, folder, count)
  local missing = build.missing(case)
  for ending, name in pairs(case.files) do
    local id = case.id .. "." .. ending
    if missing then
      count("files", ending, "skipped", missing, id)
    else
      local failures = {}
      local ok, text = pcall(check_file, case, context, folder .. "/" .. name, ending, failures)
      if not ok then failures[1] = "error: " .. tostring(text) end
      if #failures > 0 then
        text = table.concat(failures, " | ", 1, math.min(3, #failures))
        count("files", ending, "failed", text, id)
      else
        count("files", ending, "passed", nil, id)
      end
    end
  end
end

-- ONNX ------------------------------------------------------------------------------------------

local function run_onnx(case, folder, count)
  local ok, text = pcall(function()
    local model = nn.saving.load_model(folder .. "/" .. case.file)
    local got = model:predict{values.tensor(case.input), verbose = 0}
    return values.differs_deep(got, case.output, {rtol = 1e-5, atol = 1e-6}, "output")
  end)
  if ok and not text then return count("files", "onnx", "passed", nil, case.id) end
  count("files", "onnx", "failed", tostring(text), case.id)
end

-- damaged files ----------------------------------------------------------------------------------

local function intact_model(case)
  local model = build.model(case.model)
  model:compile(build.compile(case.compile))
  return model
end

local function load_damaged(path, case)
  if path:find "%.weights%.h5$" or path:find "%.safetensors$" then
    local model = intact_model(case)
    local before = model:get_weights()
    local ok, text = pcall(model.load_weights, model, path)
    for i, w in ipairs(model:get_weights()) do
      if core.sha256{w} ~= core.sha256{before[i]} then return true, "the model has changed" end
    end
    return ok, text
  end
  return pcall(nn.saving.load_model, path)
end

local function run_damaged(folder, pattern, count)
  local text = files.text(folder .. "/damaged.json")
  if not text then return end
  local intact = json.decode(files.text(folder .. "/blog-mlp.json"))
  for _, d in ipairs(json.decode(text).cases) do
    if not pattern or d.file:find(pattern) then
      local start = core.sys.clock()
      local ok, message = load_damaged(folder .. "/" .. d.file, intact)
      local seconds = core.sys.clock() - start
      if ok or type(message) ~= "string" then
        count("files", "damaged", "failed", ok and tostring(message) or "no text", d.file)
      elseif not message:find(d.file:match "[^/]+$", 1, true) then
        count("files", "damaged", "failed", "does not name the file: " .. message, d.file)
      elseif seconds > 2 then
        count("files", "damaged", "failed", ("took %.1f s"):format(seconds), d.file)
      else
        count("files", "damaged", "passed", nil, d.file)
      end
      if os.getenv "SHOW_ERRORS" then print(d.file, message) end
    end
  end
end

return function(folder, pattern, count)
  local context = {data = json.decode(files.text(folder .. "/data.json") or "{}")}
  folder = folder .. "/files"
  local names = core.sys.listdir(folder)
  if not names then return end
  table.sort(names)
  for _, name in ipairs(names) do
    local case = name:find "%.json$" and json.decode(files.text(folder .. "/" .. name))
    if type(case) == "table" and case.kind == "saved-model"
      and (not pattern or case.id:find(pattern)) then
      run_case(case, context, folder, count)
    elseif type(case) == "table" and case.kind == "onnx"
      and (not pattern or case.id:find(pattern)) then
      run_onnx(case, folder, count)
    end
  end
  run_damaged(folder, pattern, count)
end
