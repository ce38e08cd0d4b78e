-- Saving and loading: every format gives the same predictions and the same training back, the same
-- model the same bytes; a failed load changes nothing.

local nn = require "nnlua"
local core = require "nnlua.core"
local version = require "nnlua.saving.version"
local failure = require "spec.support.failure"
local files = require "spec.support.files"
local run = require "spec.support.run"
local scratch = require "spec.support.scratch"

local L, message = nn.layers, failure.of
local folder

local function path(name) return folder .. "/" .. name end

local function bits(model)
  return core.sha256(model:get_weights())
end

local function data()
  local x = {}
  for i = 1, 24 do
    x[i] = {}
    for k = 1, 6 do x[i][k] = ((i * 7 + k * 13) % 11) / 5 - 1 end
  end
  local y = {}
  for i = 1, 24 do y[i] = i % 3 end
  return core.new(x), core.new(y, "int32")
end

local function classifier(...)
  local list = {nn.Input{shape = {6}}, ...}
  list[#list + 1] = L.Flatten{}
  list[#list + 1] = L.Dense{3, activation = "softmax"}
  return nn.Sequential(list)
end

local function trained(model)
  local x, y = data()
  model:compile{optimizer = nn.optimizers.Adam{learning_rate = 0.01},
    loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
  model:fit{x, y, epochs = 2, batch_size = 8, shuffle = false, verbose = 0}
  return model
end

local function go_on(model)
  local x, y = data()
  return model:fit{x, y, epochs = 2, batch_size = 8, shuffle = false, verbose = 0}.history.loss
end

setup(function() folder = scratch.make() end)

before_each(function() nn.utils.clear_session() end)

teardown(function() scratch.remove(folder) end)

local models = {
  dense = function()
    return classifier(L.Dense{5, activation = "relu", kernel_regularizer = "l2",
      kernel_constraint = nn.constraints.MaxNorm{2}})
  end,
  normalization = function()
    return classifier(L.BatchNormalization{}, L.LayerNormalization{}, L.Dropout{0.3})
  end,
  activations = function()
    return classifier(L.PReLU{}, L.LeakyReLU{0.1}, L.ELU{}, L.Activation{"gelu"}, L.Softmax{})
  end,
  reshaping = function()
    return classifier(L.Reshape{{2, 3}}, L.Permute{{2, 1}}, L.TimeDistributed{L.Dense{4}})
  end,
  noise = function()
    return classifier(L.GaussianNoise{0.1}, L.GaussianDropout{0.1}, L.AlphaDropout{0.1})
  end,
  nested = function()
    local inner = nn.Sequential{nn.Input{shape = {6}}, L.Dense{4}, L.BatchNormalization{}}
    return nn.Sequential{nn.Input{shape = {6}}, inner, L.Dense{3, activation = "softmax"}}
  end,
  functional = function()
    local x = nn.Input{shape = {6}, name = "x"}
    local d = L.Dense{6, activation = "tanh", name = "twice"}
    local y = L.Concatenate{}{L.Add{}{d(d(x)), x}, x}
    return nn.Model{inputs = x, outputs = L.Dense{3, activation = "softmax", name = "y"}(y)}
  end,
}

-- Models have the same names and weights each time.
for name, make in pairs(models) do
  models[name] = function()
    nn.utils.clear_session()
    nn.utils.set_random_seed(5)
    return make()
  end
end

describe("whole models", function()
  for name, make in pairs(models) do
    for _, ending in ipairs {".keras", ".h5", ".safetensors"} do
      it("come back from " .. ending .. ": " .. name, function()
        local model, x = trained(make()), data()
        local file = path(name .. ending)
        model:save(file)
        local before = core.sha256_file(file)
        model:save(file)
        assert.equal(before, core.sha256_file(file))
        local again = nn.saving.load_model(file)
        assert.equal(core.sha256{model:predict{x, verbose = 0}},
          core.sha256{again:predict{x, verbose = 0}})
        assert.equal(6, again.optimizer.iterations)
        again:save(file)
        assert.equal(before, core.sha256_file(file))
        if name ~= "noise" and name ~= "normalization" then -- seeds of the layers are new
          assert.same(go_on(model), go_on(again))
        end
      end)
    end
  end
end)

describe("weights", function()
  for _, ending in ipairs {".weights.h5", ".h5", ".keras", ".safetensors", ".npz",
    ".weights.json"} do
    it("come back from " .. ending, function()
      local model = trained(models.normalization())
      model:save_weights(path("w" .. ending), {max_shard_size = 1e-7})
      local other = models.normalization()
      assert.not_equal(bits(model), bits(other))
      other:load_weights(path("w" .. ending))
      assert.equal(bits(model), bits(other))
    end)
  end

  it("are left alone where a load fails", function()
    local model = trained(models.dense())
    model:save_weights(path "dense.weights.h5")
    model:save_weights(path "dense.safetensors")
    local other = classifier(L.Dense{5}, L.Dense{4})
    local before = bits(other)
    local text = message(other.load_weights, other, path "dense.weights.h5")
    assert.is_truthy(text:find("dense.weights.h5", 1, true))
    assert.is_truthy(text:find("expected", 1, true) or text:find("variables", 1, true))
    message(other.load_weights, other, path "dense.safetensors")
    assert.equal(before, bits(other))
  end)

  it("load by name", function()
    local a = classifier(L.Dense{5, name = "first"}, L.Dense{4, name = "second"})
    for _, ending in ipairs {".weights.h5", ".h5"} do
      a:save_weights(path("named" .. ending))
      local b = classifier(L.Dense{5, name = "first"}, L.Dense{7, name = "other"})
      b:load_weights(path("named" .. ending), {by_name = true, skip_mismatch = true})
      assert.equal(core.sha256(a:get_layer("first"):get_weights()),
        core.sha256(b:get_layer("first"):get_weights()))
    end
  end)
end)

describe("paths", function()
  it("say what is wrong with them", function()
    local model = models.dense()
    assert.is_truthy(message(model.save, model, path "model.txt"):find(
      "save: unknown ending '.txt'; expected .keras", 1, true))
    assert.is_truthy(message(nn.saving.load_model, "model.txt"):find(
      "load_model: unknown ending '.txt'; expected .keras", 1, true))
    assert.is_truthy(message(model.save, model, path "m.weights.h5"):find(
      "save: .weights.h5 files hold weights alone: use save_weights; whole models end in .keras",
      1, true))
    assert.is_truthy(message(model.save_weights, model, path "weights"):find(
      "save_weights: unknown ending ''; expected .keras, .weights.h5", 1, true))
    local lambda = nn.Sequential{nn.Input{shape = {6}}, L.Lambda{function(x) return x end,
      name = "mine"}}
    assert.is_truthy(message(lambda.save, lambda, path "l.keras"):find(
      "save: Lambda 'mine': a Lua function can be saved only when", 1, true))
    assert.is_truthy(message(nn.saving.load_model, "nope.keras"):find(
      "load_model: nope.keras: no such file", 1, true))
    model:save(path "there.keras")
    assert.is_truthy(message(model.save, model, path "there.keras", {overwrite = false}):find(
      "exists", 1, true))
  end)
end)

describe("a vocabulary that was counted", function()
  local ids = core.new({{1, 2, 2}, {5, 2, 9}, {9, 9, 4}, {1, 3, 7}}, "int32")

  local function make(mode, pad)
    nn.utils.set_random_seed(3)
    local lookup = L.IntegerLookup{max_tokens = pad and 9 or 6, output_mode = mode,
      pad_to_max_tokens = pad}
    lookup:adapt(ids)
    return nn.Sequential{nn.Input{shape = {3}, dtype = "int32"}, lookup, L.Flatten{}, L.Dense{2}}
  end

  local function predicted(model) return core.sha256{model:predict{ids, verbose = 0}} end

  for _, mode in ipairs{"int", "multi_hot", "count", "tf_idf", "tf_idf padded"} do
    for _, ending in ipairs{".keras", ".h5", ".safetensors"} do
      it(("comes back: %s, %s"):format(mode, ending), function()
        local model = make(mode:match "%S+", mode:find "padded" and true or false)
        model:save(path("counted" .. ending))
        local again = nn.saving.load_model(path("counted" .. ending))
        assert.equal(predicted(model), predicted(again))
        again:save(path("again" .. ending))
        assert.equal(core.sha256_file(path("counted" .. ending)),
          core.sha256_file(path("again" .. ending)))
        assert.equal(predicted(model), predicted((nn.saving.load_model(path("again" .. ending)))))
      end)
    end
  end

  -- The archive with other members: {name = text, or false for none}.
  local function changed(members)
    make "tf_idf":save(path "counted.keras")
    local zip, list = core.zip.open(path "counted.keras"), {}
    for _, m in ipairs(zip:names()) do
      local text = members[m[1]]
      if text == nil then text = zip:read(m[1]) end
      if text then list[#list + 1] = {m[1], text} end
    end
    core.behind.zip(path "changed.keras", list):wait()
    return message(nn.saving.load_model, path "changed.keras")
  end

  it("is missed and measured", function()
    local name = "assets/layers/integer_lookup/vocabulary.txt"
    local text = changed{[name] = false}
    assert.is_truthy(text:find("layer 'integer_lookup' (IntegerLookup): the file does not hold its "
      .. "vocabulary", 1, true), text)
    assert.is_truthy(changed{[name] = "-1\n2\n9"}:find("a vocabulary of 3 tokens, expected 6", 1,
      true))
    assert.is_truthy(changed{[name] = "-1\n2\n9\n2\n2\n2"}:find("holds '2' twice", 1, true))
  end)

  it("has as many weights as tokens", function()
    local model = make "tf_idf"
    core.hdf5.save(path "idf.weights.h5", {{"group", "layers/integer_lookup/vars"},
      {"tensor", "layers/integer_lookup/vars/idf_weights", core.new{1, 2}},
      {"tensor", "layers/dense/vars/0", model.layers[3].weights[1].tensor},
      {"tensor", "layers/dense/vars/1", model.layers[3].weights[2].tensor}})
    local text = message(model.load_weights, model, path "idf.weights.h5")
    assert.is_truthy(text:find("idf_weights are (2) in the file, expected (6)", 1, true), text)
  end)
end)

describe("what could not be loaded", function()
  it("is not saved", function()
    local long = message(L.Dense, {3, name = ("n"):rep(513)})
    assert.is_truthy(long:find("Dense: a name of 513 bytes, at most 512 are possible", 1, true))
    assert.is_truthy(message(L.Dense, {3, name = "a\0b"}):find("a zero byte", 1, true))
    local layers = {nn.Input{shape = {2}}}
    for i = 2, 10001 do layers[i] = L.Identity{} end
    local model = nn.Sequential(layers)
    assert.is_truthy(message(model.save, model, path "many.keras"):find(
      "save: the model has 10000 layers, at most 9999 can be saved", 1, true))
    assert.is_falsy(core.sys.exists(path "many.keras"))
    layers[10001] = nil
    nn.Sequential(layers):save(path "many.keras")
    assert.equal(9999, #nn.saving.load_model(path "many.keras").layers)
  end)
end)

describe("own classes", function()
  local function own()
    local Twice = L.Layer:extend("Twice", {args = "factor=2"})
    function Twice:init(a)
      L.Layer.init(self, a)
      self.factor = a.factor
    end
    function Twice:call(x) return x * self.factor end
    return Twice
  end

  it("load when they are given or registered", function()
    local Twice = own()
    nn.saving.register_serializable(Twice, {package = "spec"})
    local model, x = trained(classifier(Twice{3})), data()
    model:save(path "own.keras")
    local again = nn.saving.load_model(path "own.keras")
    assert.equal(core.sha256{model:predict{x, verbose = 0}},
      core.sha256{again:predict{x, verbose = 0}})
    assert.equal(3, again.layers[1].factor)
    local Other = own()
    again = nn.saving.load_model(path "own.keras", {custom_objects = {Twice = Other}})
    assert.equal(Other, getmetatable(again.layers[1]))
  end)

  it("cannot be saved unregistered or loaded unknown", function()
    local model = classifier(own(){2})
    local ok, text = pcall(model.save, model, path "unknown.keras")
    if ok then
      text = message(nn.saving.load_model, path "unknown.keras")
    end
    assert.is_truthy(text:find("Twice", 1, true))
  end)
end)

describe("fearless loading", function()
  local function with_config(edit)
    local model = models.dense()
    model:save(path "ok.keras")
    local zip = core.zip.open(path "ok.keras")
    local members = {}
    for i, member in ipairs(zip:names()) do
      local text = zip:read(member[1])
      members[i] = {member[1], member[1] == "config.json" and edit(text) or text}
    end
    zip:close()
    core.behind.zip(path "bad.keras", members):wait()
    return message(nn.saving.load_model, path "bad.keras")
  end

  it("asks for no more memory than the file holds", function()
    local text = with_config(function(t) return (t:gsub('"units": 5', '"units": 1000000000')) end)
    assert.is_truthy(text:find("more than the file holds", 1, true))
  end)

  it("lets metrics take little", function()
    for _, metric in ipairs {'{"class_name": "AUC", "config": {"num_thresholds": 1000000000}',
      '{"class_name": "MeanIoU", "config": {"num_classes": 90000}'} do
      local model = trained(models.dense())
      model:save(path "ok.keras")
      local zip = core.zip.open(path "ok.keras")
      local config = zip:read "config.json":gsub('"metrics": %["accuracy"%]', function()
        return '"metrics": [' .. metric .. ', "module": "keras.metrics"}]'
      end)
      core.behind.zip(path "bad.keras", {{"metadata.json", "{}"}, {"config.json", config},
        {"model.weights.h5", zip:read "model.weights.h5"}}):wait()
      zip:close()
      assert.is_truthy(message(nn.saving.load_model, path "bad.keras"):find("bad.keras", 1, true))
    end
  end)

  it("opens no file that a configuration names", function()
    local layer = '{"module": "keras.layers", "class_name": "StringLookup", "config": '
      .. '{"name": "s", "vocabulary": "/etc/passwd"}, "registered_name": null}, '
    local text = with_config(function(t)
      return (t:gsub('"layers": %[', function(found) return found .. layer end, 1))
    end)
    assert.is_truthy(text:find("vocabulary", 1, true), text)
  end)

  it("runs no code", function()
    local lambda = '{"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l", '
      .. '"function": {"class_name": "__lambda__", "config": {"value": "4wEAAA=="}}}, '
      .. '"registered_name": null}, '
    local text = with_config(function(t)
      return (t:gsub('"layers": %[', function(found) return found .. lambda end, 1))
    end)
    assert.is_truthy(text:find("code is never loaded", 1, true), text)
  end)

  it("looks classes up in fixed tables", function()
    for _, name in ipairs {"os.execute", "../../x", "names", "__index", "Layer2"} do
      local text = with_config(function(t)
        return (t:gsub('"class_name": "Dense"', function()
          return ('"class_name": "%s"'):format(name)
        end))
      end)
      assert.is_truthy(text:find("there is no class", 1, true), text)
    end
  end)

  it("survives every cut and flipped byte", function()
    local model = trained(models.dense())
    for _, ending in ipairs {".keras", ".weights.h5", ".h5", ".safetensors", ".npz"} do
      local name = "cut" .. ending
      model:save_weights(path(name))
      local text = files.read(path(name))
      local step = math.max(1, #text // 60)
      for at = 1, #text, step do
        files.write(path(name), text:sub(1, at - 1))
        assert.is_false(pcall(model.load_weights, model, path(name)), name .. " cut at " .. at)
        local byte = string.char(text:byte(at) ~ 0x55)
        files.write(path(name), text:sub(1, at - 1) .. byte .. text:sub(at + 1))
        pcall(model.load_weights, model, path(name)) -- an error or other numbers, never worse
      end
    end
  end)

  it("keeps to the caller's limits", function()
    local model = models.dense()
    model:save(path "limited.keras")
    nn.saving.limits{bytes = 100}
    local ok, text = pcall(nn.saving.load_model, path "limited.keras")
    nn.saving.limits{}
    assert.is_false(ok)
    assert.is_truthy(text:find("limit", 1, true), text)
    assert.is_truthy(message(nn.saving.limits, {byte = 1}):find("unknown argument", 1, true))
    for _, v in ipairs{"1", 0, 1.5, 1 / 0} do
      assert.is_truthy(message(nn.saving.limits, {bytes = v}):find("limits: bytes is ", 1, true))
    end
  end)
end)

-- All versions hold the model of v1.keras.
describe("sample files", function()
  local function predicts(model)
    local want = core.json.decode(assert(io.open "spec/files/v1.json"):read "a").predict
    local got = model:predict{data(), verbose = 0}:totable()
    for i = 1, #want do
      for k = 1, #want[i] do assert.near(want[i][k], got[i][k], 1e-6) end
    end
  end

  for number = 1, version.number do
    local base = "spec/files/v" .. number
    it("of format " .. number .. " load and predict what they did", function()
      for _, ending in ipairs {".keras", ".h5", ".safetensors"} do
        predicts(nn.saving.load_model(base .. ending))
      end
      for _, ending in ipairs {".weights.h5", ".npz", ".weights.json", ".state.weights.h5"} do
        local model = models.normalization()
        model:load_weights(base .. ending)
        predicts(model)
      end
    end)

    it("of format " .. number .. " go on with a training", function()
      local model = trained(models.normalization())
      local state = model:load_training_state(base .. ".state.weights.h5")
      assert.same({2, 0}, {state.epoch, state.batch})
      assert.equal(6, model.optimizer.iterations)
      predicts(model)
    end)
  end

  it("of this format are what is written now", function()
    local base = "spec/files/v" .. version.number
    local model = nn.saving.load_model(base .. ".keras")
    for _, ending in ipairs {".keras", ".h5", ".safetensors"} do
      model:save(path("now" .. ending))
      assert.equal(core.sha256_file(base .. ending), core.sha256_file(path("now" .. ending)))
    end
    for _, ending in ipairs {".weights.h5", ".npz"} do
      model:save_weights(path("now" .. ending))
      assert.equal(core.sha256_file(base .. ending), core.sha256_file(path("now" .. ending)))
    end
  end)

  it("of a later format are refused", function()
    local model = models.dense()
    model:save(path "later.safetensors")
    model:save_weights(path "later.weights.h5")
    model:save(path "later.keras")
    local number = version.number
    version.number = number - 1
    for _, name in ipairs {"later.keras", "later.safetensors", "later.weights.h5"} do
      local text = message(model.load_weights, model, path(name))
      assert.is_truthy(text:find("has the format 2, which is later than", 1, true), text)
    end
    version.number = number
  end)
end)

describe("the same model", function()
  it("has the same bytes in every process and however it is saved", function()
    local script = files.write(path "make.lua", [[local nn, out = require "nnlua", arg[1]
      nn.utils.set_random_seed(5)
      local x = nn.random.normal{{24, 6}}
      local i = nn.Input{shape = {6}, name = "i"}
      local y = nn.layers.BatchNormalization{}(nn.layers.Dense{4, activation = "relu"}(i))
      local model = nn.Model{inputs = {i = i}, outputs = {nn.layers.Dense{1}(y + 1),
        nn.layers.Dense{1}(y)}}
      model:compile{optimizer = "adam", loss = "mse"}
      model:fit{{i = x}, {x:sum{axis = -1}, x:mean{axis = -1}}, epochs = 2, verbose = 0}
      for _, e in ipairs {".keras", ".h5", ".safetensors"} do model:save(out .. e) end
      for _, e in ipairs {".weights.h5", ".npz", ".weights.json"} do
        model:save_weights(out .. e)
      end]])
    for k = 1, 3 do
      local _, err, status = run{script, path("p" .. k)}
      assert.equal(0, status, err)
    end
    for _, ending in ipairs {".keras", ".h5", ".safetensors", ".weights.h5", ".npz",
      "_00000.weights.h5"} do
      local want = assert(core.sha256_file(path("p1" .. ending)))
      assert.equal(want, core.sha256_file(path("p2" .. ending)), ending)
      assert.equal(want, core.sha256_file(path("p3" .. ending)), ending)
      if ending == ".keras" or ending == ".h5" or ending == ".safetensors" then
        nn.saving.load_model(path("p1" .. ending)):save(path("q" .. ending))
        assert.equal(want, core.sha256_file(path("q" .. ending)), ending)
      end
    end
  end)
end)
