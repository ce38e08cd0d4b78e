-- What the promise about files says, for each format: a load that fails changes nothing, limits
-- hold, names are names.

local nn = require "nnlua"
local core = require "nnlua.core"
local inspect = require "nnlua.inspect"
local zip_bytes = require "spec.support.zip_bytes"
local failure = require "spec.support.failure"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"

local L, message = nn.layers, failure.of
local folder

local function path(name) return folder .. "/" .. name end

local weights_formats = {".keras", ".h5", ".hdf5", ".safetensors", ".weights.h5", ".npz",
  ".weights.json"}
local model_formats = {".keras", ".h5", ".hdf5", ".safetensors"}

local function data()
  local x, y = {}, {}
  for i = 1, 12 do x[i], y[i] = {i % 5 / 5, i % 3, -i / 12, 1}, i % 2 end
  return core.new(x), core.new(y, "int32")
end

-- Trained, so that the optimizer has slots. seed: other weights.
local function network(seed, units, names)
  nn.utils.clear_session()
  nn.utils.set_random_seed(seed)
  names = names or {}
  return nn.Sequential{nn.Input{shape = {4}}, L.Dense{6, activation = "relu", name = names[1]},
    L.BatchNormalization{}, L.Dense{units or 2, activation = "softmax", name = names[2]}}
end

local function trained(model)
  local x, y = data()
  model:compile{optimizer = nn.optimizers.Adam{0.01}, loss = "sparse_categorical_crossentropy"}
  model:fit{x, y, epochs = 2, verbose = 0}
  return model
end

local function save(model, name)
  local saver = name:find "%.weights%." or name:find "%.npz$"
  if saver then model:save_weights(path(name)) else model:save(path(name)) end
end

-- Weights, slots, counters and configuration; whether the optimizer is built.
local function state(model)
  local list, optimizer = model:get_weights(), model.optimizer
  if optimizer and optimizer.built then
    for _, v in ipairs(optimizer.variables) do
      list[#list + 1] = core.is_tensor(v) and v or v.tensor
    end
  end
  return core.sha256(list) .. tostring(optimizer and optimizer.built) .. model:to_json()
end

local function unchanged(model, name, pattern)
  local before = state(model)
  local text = message(model.load_weights, model, path(name))
  assert.matches(pattern, text)
  assert.is_truthy(text:find(path(name):match "^(.*/[^/.]*)", 1, true), text)
  assert.equal(before, state(model))
end

setup(function() folder = scratch.make() end)

teardown(function() scratch.remove(folder) end)

after_each(function() nn.saving.current_limits = nil end)

describe("a load that fails leaves the model as it was:", function()
  for _, ending in ipairs(weights_formats) do
    it("another shape, " .. ending, function()
      save(trained(network(1, 3)), "m" .. ending)
      unchanged(trained(network(2)), "m" .. ending, "expected")
      local fresh = network(2) -- compiled, the optimizer not built
      fresh:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy"}
      unchanged(fresh, "m" .. ending, "expected")
    end)

    it("a limit, " .. ending, function()
      save(trained(network(1)), "m" .. ending)
      local model = trained(network(2))
      nn.saving.limits{bytes = 200}
      unchanged(model, "m" .. ending, "limit")
    end)

    it("a file that ends too early, " .. ending, function()
      save(trained(network(1)), "m" .. ending)
      local name = ending == ".weights.json" and "m_00000.weights.h5" or "m" .. ending
      local text = files.read(path(name))
      local model = trained(network(2))
      for _, part in ipairs {0.2, 0.5, 0.9, 0.999} do
        files.write(path(name), text:sub(1, math.floor(#text * part)))
        unchanged(model, "m" .. ending, "m")
      end
    end)
  end

  -- What an optimizer does not take, behind weights that fit.
  local function with_optimizer(items, index, value)
    for _, item in ipairs(items) do
      if item[1] == "tensor" and item[2] == "optimizer/vars/" .. index then
        item[3], item[4] = value, nil
      end
    end
    return items
  end

  local bad = {{0, core.new(-5, "int32"), "iteration is %-5"},
    {0, core.new(2.5), "iteration is 2.5"}, {1, core.new(-1), "learning_rate is %-1"},
    {1, core.new(0 / 0), "learning_rate is %-?nan"}}
  for _, b in ipairs(bad) do
    it(b[3] .. " in an optimizer", function()
      local items = require("nnlua.saving.store").items(trained(network(1)))
      core.hdf5.save(path "o.weights.h5", with_optimizer(items, b[1], b[2]))
      unchanged(trained(network(2)), "o.weights.h5", b[3])
      local fresh = network(2)
      fresh:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy"}
      unchanged(fresh, "o.weights.h5", b[3])
      local tensors = {}
      for _, w in ipairs(require("nnlua.saving.state").all(trained(network(1)))) do
        tensors[#tensors + 1] = {w[1], w[1] == "optimizer/vars/" .. b[1] and b[2] or w[2]}
      end
      core.safetensors.save(path "o.safetensors", tensors, {})
      unchanged(trained(network(2)), "o.safetensors", b[3])
    end)
  end
end)

describe("limits", function()
  local function tensors_of(ending)
    local report = inspect.file(path("m" .. ending))
    local bytes = 0
    for _, t in ipairs(report.tensors) do
      local n = 4
      for i = 1, #t.shape do n = n * t.shape[i] end
      bytes = bytes + n
    end
    return bytes
  end

  for _, ending in ipairs(weights_formats) do
    it("hold for all tensors together, " .. ending, function()
      local model = trained(network(1))
      model:save_weights(path("m" .. ending), {max_shard_size = 100 / (1 << 30)})
      if ending == ".weights.json" then -- several files, each below the limit
        assert.truthy(core.sys.exists(path "m_00002.weights.h5"))
        nn.saving.limits{bytes = 1 << 20}
        model:load_weights(path "m.weights.json")
        local largest = 0
        for k = 0, 2 do
          largest = math.max(largest, #files.read(path(("m_%05d.weights.h5"):format(k))))
        end
        nn.saving.limits{bytes = largest + 100}
        assert.matches("limit", message(model.load_weights, model, path "m.weights.json"))
        return
      end
      nn.saving.limits{bytes = 1 << 20, tensors = 2000, depth = 50}
      model:load_weights(path("m" .. ending))
      local bytes = tensors_of(ending)
      nn.saving.limits{bytes = bytes - 50}
      assert.matches("limit", message(model.load_weights, model, path("m" .. ending)))
      assert.matches("limit", message(inspect.file, path("m" .. ending)))
      nn.saving.limits{tensors = 2}
      assert.matches("limit", message(model.load_weights, model, path("m" .. ending)))
      assert.matches("limit", message(inspect.file, path("m" .. ending)))
    end)
  end

  for _, ending in ipairs {".keras", ".h5", ".safetensors", ".weights.h5"} do
    it("hold for depth, " .. ending, function()
      local model = trained(network(1))
      save(model, "m" .. ending)
      nn.saving.limits{depth = 1}
      assert.matches("limit", message(inspect.file, path("m" .. ending)))
      if ending ~= ".weights.h5" then
        assert.matches("limit", message(nn.saving.load_model, path("m" .. ending)))
      end
    end)
  end

  it("hold for what JSON becomes", function()
    local text = "[" .. ("[],"):rep(40000) .. "[]]" -- 120 kB that take 40,000 nodes
    assert.equal(40001, #core.json.decode(text, "j", {bytes = 20 << 20}))
    assert.matches("j: takes more memory than the limit of bytes",
      message(core.json.decode, text, "j", {bytes = 1 << 20}))
  end)

  it("hold for all arrays of a .npz together", function()
    local header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000,), }\n"
    local npy = "\x93NUMPY\1\0" .. string.pack("<s2", header) .. ("\0"):rep(4000)
    local members = {}
    for i = 1, 40 do members[i] = {name = i .. ".npy", data = npy} end
    files.write(path "many.npz", zip_bytes.archive(members))
    nn.saving.limits{bytes = 160000}
    assert.equal(40, #inspect.file(path "many.npz").tensors)
    nn.saving.limits{bytes = 159999}
    assert.matches("above the limit of 159999 bytes together",
      message(inspect.file, path "many.npz"))
  end)
end)

-- Opening a pipe waits for somebody to write, and a device has no end.
describe("what is no regular file", function()
  local endings = {".keras", ".h5", ".safetensors", ".weights.h5", ".npz", ".weights.json",
    ".onnx"}
  for _, ending in ipairs(endings) do
    it("is refused at once, " .. ending, function()
      local model = network(1)
      for name, command in pairs{pipe = "mkfifo '%s'", zero = "ln -s /dev/zero '%s'",
          folder = "mkdir '%s'"} do
        local file = path(name .. ending)
        assert(os.execute(command:format(file)))
        local wanted = name == "folder" and "is a folder" or "not a regular file"
        assert.matches(wanted, message(inspect.file, file))
        if ending ~= ".onnx" then
          assert.matches(wanted, message(model.load_weights, model, file))
        end
        if not ending:find "weights" and ending ~= ".npz" then
          assert.matches(wanted, message(nn.saving.load_model, file))
        end
      end
    end)
  end
end)

describe("a name", function()
  local function written()
    local pipe, list = io.popen("cd '" .. folder .. "/names' && find . -type f | sort"), {}
    for line in pipe:lines() do list[#list + 1] = line end
    pipe:close()
    return list
  end

  for _, name in ipairs {"../../x", "a/b", "/etc/passwd", "..", "C:\\x", "a b\n"} do
    it(("is no path: %q"):format(name), function()
      scratch.remove(path "names")
      assert(core.sys.mkdir(path "names"))
      local model = trained(network(1, 2, {name, "out"}))
      local wanted = core.sha256(model:get_weights())
      for _, ending in ipairs(model_formats) do
        save(model, "names/m" .. ending)
        local again = nn.saving.load_model(path("names/m" .. ending))
        assert.equal(wanted, core.sha256(again:get_weights()))
        assert.equal(name, again.layers[1].name)
      end
      for _, ending in ipairs {".weights.h5", ".npz"} do
        save(model, "names/m" .. ending)
        local other = network(2, 2, {name, "out"})
        other:load_weights(path("names/m" .. ending))
        assert.equal(wanted, core.sha256(other:get_weights()))
      end
      assert.same({"./m.h5", "./m.hdf5", "./m.keras", "./m.npz", "./m.safetensors",
        "./m.weights.h5"}, written())
    end)
  end

  it("that stands twice in an archive is refused by loading and inspecting alike", function()
    save(trained(network(1)), "m.keras")
    local zip, members = core.zip.open(path "m.keras"), {}
    for i, m in ipairs(zip:names()) do members[i] = {name = m[1], data = zip:read(m[1])} end
    local twice = '{"class_name": "Sequential", "config": {"name": "evil", "layers": []}}'
    members[#members + 1] = {name = "config.json", data = twice}
    files.write(path "twice.keras", zip_bytes.archive(members))
    local pattern = 'member "config.json": stands twice in the archive'
    assert.matches(pattern, message(nn.saving.load_model, path "twice.keras"))
    assert.matches(pattern, message(inspect.file, path "twice.keras"))
  end)

  it("that stands twice in a configuration is refused by loading and inspecting alike", function()
    local config = '{"class_name": "Sequential", "class_name": "Functional", "config": {}}'
    core.behind.zip(path "key.keras", {{"config.json", config},
      {"model.weights.h5", core.hdf5.encode{{"group", "layers"}}}}):wait()
    local pattern = 'key.keras: config.json: .*the key "class_name" stands twice'
    assert.matches(pattern, message(nn.saving.load_model, path "key.keras"))
    assert.matches(pattern, message(inspect.file, path "key.keras"))
  end)
end)

describe("a configuration with values of the wrong kind", function()
  local function load(change, ending)
    local config = core.json.decode(core.zip.open(path "kind.keras"):read "config.json")
    change(config.config.layers, config)
    core.behind.zip(path "wrong.keras", {{"config.json", core.json.encode(config)},
      {"model.weights.h5", core.zip.open(path "kind.keras"):read "model.weights.h5"}}):wait()
    local text = message(nn.saving.load_model, path("wrong" .. (ending or ".keras")))
    assert.is_truthy(text:find("load_model: " .. path "wrong.keras", 1, true), text)
    return text
  end

  setup(function()
    assert(core.sys.mkdir(folder))
    local x = nn.Input{shape = {4}, name = "in"}
    local h = L.Dense{3, name = "first"}(x)
    save(trained(nn.Model{inputs = x, outputs = L.Dense{2, name = "out"}(h)}), "kind.keras")
  end)

  it("gives an error that says where", function()
    local cases = {
      {"inbound_nodes of layer 'out' are 3, expected a list", function(l)
        l[3].inbound_nodes = 3
      end},
      {"the args of a call are", function(l) l[3].inbound_nodes[1].args = "text" end},
      {"the kwargs of a call are 1, expected a table", function(l)
        l[3].inbound_nodes[1].kwargs = 1
      end},
      {"the call of layer 'out' passes no tensor", function(l)
        l[3].inbound_nodes[1].args = core.json.array{}
      end},
      {"layer 'first': ", function(l) l[2].config.units = {} end},
      {"layer 'first': ", function(l) l[2].config.activation = 5 end},
      {"layer 'first': ", function(l) l[2].config.kernel_initializer = core.json.array{1, "x"} end},
      {"this is no configuration", function(_, c) c.config = "text" end},
    }
    for _, c in ipairs(cases) do assert.matches(c[1], load(c[2])) end
  end)
end)
