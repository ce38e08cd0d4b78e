-- TensorBoard's event files, read back by a small reader of records and protocol buffers.

local nn = require "nnlua"
local sys = require("nnlua.core").sys
local tfevents = require "nnlua.callbacks.tfevents"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"

-- reading -----------------------------------------------------------------------------------------

local function varint(s, at)
  local n, shift = 0, 0
  while true do
    local b = s:byte(at)
    n, shift, at = n | (b & 127) << shift, shift + 7, at + 1
    if b < 128 then return n, at end
  end
end

-- field -> list of its values; lengths and numbers as they stand
local function message(s)
  local out, at = {}, 1
  while at <= #s do
    local key, value
    key, at = varint(s, at)
    local wire = key & 7
    if wire == 0 then
      value, at = varint(s, at)
    elseif wire == 1 then
      value, at = ("<d"):unpack(s, at)
    else
      local n
      n, at = varint(s, at)
      value, at = s:sub(at, at + n - 1), at + n
    end
    local list = out[key >> 3] or {}
    out[key >> 3] = list
    list[#list + 1] = value
  end
  return out
end

local function unmask(n)
  n = (n - 0xa282ead8) & 0xffffffff
  return (n >> 17 | n << 15) & 0xffffffff
end

local function events(folder)
  local names, out = sys.listdir(folder), {}
  table.sort(names)
  for _, name in ipairs(names) do
    if name:find "tfevents" then
      local s, at = files.read(folder .. "/" .. name), 1
      while at <= #s do
        local n, check = ("<I8I4"):unpack(s, at)
        assert.equal(unmask(check), tfevents.crc32c(s:sub(at, at + 7)))
        local data = s:sub(at + 12, at + 11 + n)
        assert.equal(unmask((("<I4"):unpack(s, at + 12 + n))), tfevents.crc32c(data))
        out[#out + 1], at = message(data), at + 16 + n
      end
    end
  end
  return out
end

-- All values: {step, tag, plugin, tensor}
local function summaries(folder)
  local out = {}
  for _, event in ipairs(events(folder)) do
    for _, s in ipairs(event[5] or {}) do
      local v = message(message(s)[1][1])
      out[#out + 1] = {step = (event[2] or {0})[1], tag = v[1][1],
        plugin = message(message(v[9][1])[1][1])[1][1], tensor = message(v[8][1])}
    end
  end
  return out
end

local function steps_of(list, tag)
  local out = {}
  for _, s in ipairs(list) do if s.tag == tag then out[#out + 1] = s.step end end
  return out
end

local function find(list, tag)
  for _, s in ipairs(list) do if s.tag == tag then return s end end
end

local function scalar(s) return (("<f"):unpack(s.tensor[4][1])) end

-- training ----------------------------------------------------------------------------------------

local x = {{0, 1}, {1, 0}, {1, 1}, {0, 0}, {2, 1}, {1, 2}}
local y = {{1}, {1}, {2}, {0}, {3}, {3}}

local root, runs = nil, 0

setup(function() root = scratch.make() end)

teardown(function() scratch.remove(root) end)

local function fit(arguments, options)
  runs = runs + 1
  local folder = ("%s/%d"):format(root, runs)
  arguments.log_dir = folder
  nn.set_random_seed(1)
  local model = nn.Sequential{nn.layers.Dense{3, name = "first", input_shape = {2}},
    nn.layers.Dense{1, name = "second"}}
  model:compile{optimizer = nn.optimizers.SGD{0.01}, loss = "mse"}
  local given = {x, y, epochs = 3, batch_size = 2, verbose = 0, shuffle = false,
    callbacks = {nn.callbacks.TensorBoard(arguments)}}
  for k, v in pairs(options or {}) do given[k] = v end
  local history = model:fit(given)
  return folder, history.history, model
end

describe("TensorBoard", function()
  it("sums as CRC-32C does", function()
    assert.equal(0xe3069283, tfevents.crc32c "123456789") -- RFC 3720's polynomial
    assert.equal(0x8a9136aa, tfevents.crc32c(("\0"):rep(32)))
    assert.equal(0x62a8ab43, tfevents.crc32c(("\255"):rep(32)))
  end)

  it("writes the logs of epochs, counted from 0", function()
    local folder, history = fit({}, {validation_data = {x, y}})
    local train, validation = summaries(folder .. "/train"), summaries(folder .. "/validation")
    assert.equal("brain.Event:2", events(folder .. "/train")[1][3][1])
    assert.same({0, 1, 2}, steps_of(train, "epoch_loss"))
    assert.is_near(history.loss[1], scalar(find(train, "epoch_loss")), 1e-6)
    assert.is_near(0.01, scalar(find(train, "epoch_learning_rate")), 1e-8)
    assert.same({0, 1, 2}, steps_of(validation, "epoch_loss"))
    assert.is_near(history.val_loss[1], scalar(find(validation, "epoch_loss")), 1e-6)
    assert.same({3, 6, 9}, steps_of(validation, "evaluation_loss_vs_iterations"))
    assert.same({}, steps_of(train, "batch_loss"))
    assert.equal("scalars", find(train, "epoch_loss").plugin)
  end)

  it("writes the logs of batches, counted from 1 through all epochs", function()
    local train = summaries(fit{update_freq = 2, write_steps_per_second = true} .. "/train")
    assert.same({2, 4, 6, 8}, steps_of(train, "batch_loss"))
    assert.same({2, 4, 6, 8}, steps_of(train, "batch_steps_per_second"))
    assert.same({0, 1, 2}, steps_of(train, "epoch_steps_per_second"))
    train = summaries(fit{update_freq = "batch"} .. "/train")
    assert.same({1, 2, 3, 4, 5, 6, 7, 8, 9}, steps_of(train, "batch_loss"))
  end)

  it("writes histograms and pictures of the weights", function()
    local folder, _, model = fit{histogram_freq = 2, write_images = true}
    local train = summaries(folder .. "/train")
    local path = model.weights[1].path
    assert.same({0, 2}, steps_of(train, path .. "/histogram"))
    local content, total, at = find(train, path .. "/histogram").tensor[4][1], 0, 1
    assert.equal(30 * 3 * 8, #content)
    for _ = 1, 30 do
      local left, right, count = ("<ddd"):unpack(content, at)
      assert.is_true(left < right)
      total, at = total + count, at + 24
    end
    assert.equal(6, total)
    local parts = find(train, path .. "/image").tensor[8]
    assert.same({"3", "2"}, {parts[1], parts[2]})
    assert.equal("\x89PNG\r\n\x1a\n", parts[3]:sub(1, 8))
  end)

  it("writes the model's configuration when it is asked to", function()
    local graph = find(summaries(fit{} .. "/train"), "keras")
    assert.equal("graph_keras_model", graph.plugin)
    assert.truthy(graph.tensor[8][1]:find('"class_name": "Sequential"', 1, true))
    assert.is_nil(find(summaries(fit{write_graph = false} .. "/train"), "keras"))
  end)

  it("saves embeddings and tells the projector of them", function()
    local folder = root .. "/embeddings"
    local model = nn.Sequential{nn.layers.Embedding{4, 2, name = "words"}, nn.layers.Flatten(),
      nn.layers.Dense(1)}
    model:compile{optimizer = "sgd", loss = "mse"}
    model:fit{nn.ops.array({{1}, {2}}, "int32"), {{1}, {2}}, epochs = 2, verbose = 0,
      callbacks = {nn.callbacks.TensorBoard{folder, embeddings_freq = 1,
        embeddings_metadata = {words = "words.tsv"}}}}
    assert.equal("file", sys.exists(folder .. "/train/keras_embedding.ckpt-1.weights.h5"))
    assert.truthy(files.read(folder .. "/projector_config.pbtxt")
      :find('metadata_path: "words.tsv"', 1, true))
  end)

  it("refuses what it cannot do", function()
    assert.error_matches(function() nn.callbacks.TensorBoard{profile_batch = 2} end,
      "profile_batch is 2")
    assert.error_matches(function() nn.callbacks.TensorBoard{update_freq = 0} end,
      "update_freq is 0")
  end)
end)
