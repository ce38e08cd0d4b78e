-- Writes event files for TensorBoard: scalars of the logs, histograms and pictures of the weights,
-- the model's configuration. Steps are Keras's: epochs count from 0 there, batches from 1.

local Callback = require "nnlua.callbacks.callback"
local core = require "nnlua.core"
local err = require "nnlua.err"
local logs_of = require "nnlua.logs"
local tfevents = require "nnlua.callbacks.tfevents"

local BUCKETS = 30 -- of a histogram
local PICTURES = 3 -- of one weight, at most

---@class nn.callbacks.TensorBoard: nn.callbacks.Callback
local TensorBoard = Callback:extend("TensorBoard", {
  args = [[log_dir="logs", histogram_freq=0, write_graph=True, write_images=False,
    write_steps_per_second=False, update_freq="epoch", profile_batch=0, embeddings_freq=0,
    embeddings_metadata=None]],
})

local function check_count(name, v)
  err.check(math.tointeger(v) and v >= 0, "TensorBoard: %s is %s, expected a number of epochs",
    name, err.show(v))
end

--- Files go to log_dir/train and log_dir/validation. `update_freq`: "epoch", "batch" or a number of
--- batches after which the batch's logs are written too. `histogram_freq`, `embeddings_freq`:
--- every so many epochs.
function TensorBoard:init(a)
  for key, value in pairs(a) do self[key] = value end
  err.check(type(a.log_dir) == "string", "TensorBoard: log_dir is %s, expected a path",
    err.show(a.log_dir))
  check_count("histogram_freq", a.histogram_freq)
  check_count("embeddings_freq", a.embeddings_freq)
  local freq = a.update_freq == "batch" and 1 or a.update_freq
  err.check(freq == "epoch" or math.tointeger(freq) and freq > 0, "TensorBoard: update_freq is %s, "
    .. "expected 'epoch', 'batch' or a number of batches above 0", err.show(freq))
  self.update_freq = freq
  err.check(a.profile_batch == 0 or a.profile_batch == nil,
    "TensorBoard: profile_batch is %s, traces are not written: expected 0",
    err.show(a.profile_batch))
  self.writers, self.batches, self.last_batch = {}, 0, 0
end

--- Batches matter where their logs are written.
function TensorBoard:wants_batches(kind)
  return kind == "train" and self.update_freq ~= "epoch"
end

local function writer(self, name)
  if not self.writers[name] then
    self.writers[name] = tfevents.open(self.log_dir .. "/" .. name)
  end
  return self.writers[name]
end

local function close(self)
  for _, w in pairs(self.writers) do w:close() end
  self.writers = {}
end

-- the model ---------------------------------------------------------------------------------------

local function metadata_path(self, layer)
  local given = self.embeddings_metadata
  if type(given) == "table" then return given[layer.name] end
  return given
end

-- Which variable of the weights file the projector shows, and the file with its rows' labels.
local function write_projector(self)
  local Embedding, out, left = require("nnlua.layers").Embedding, {}, {}
  local given = self.embeddings_metadata
  for name in pairs(type(given) == "table" and given or {}) do left[name] = true end
  for _, layer in ipairs(self.model.layers) do
    if require("nnlua.class").is(layer, Embedding) then
      local path = metadata_path(self, layer)
      left[layer.name] = nil
      out[#out + 1] = "embeddings {\n  tensor_name: "
        .. '"layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"\n'
        .. (path and ('  metadata_path: "%s"\n'):format(path) or "") .. "}\n"
    end
  end
  if next(left) then
    err.raise("TensorBoard: embeddings_metadata names '%s', no Embedding layer is called so",
      next(left))
  end
  writer(self, "train")
  local path = self.log_dir .. "/projector_config.pbtxt"
  local ok, message = core.sys.fsync_write(path, table.concat(out))
  if not ok then err.raise("TensorBoard: cannot write %s", message) end
end

function TensorBoard:on_train_begin()
  self.batches, self.last_batch = 0, 0
  local train = writer(self, "train")
  if self.write_graph and self.model.built and self.model.to_json then
    local ok, json = pcall(self.model.to_json, self.model)
    if ok then train:model("keras", json, 0) end
  end
  if self.embeddings_freq > 0 then write_projector(self) end
end

-- scalars -----------------------------------------------------------------------------------------

local function now() return core.sys.clock() end

function TensorBoard:on_epoch_begin()
  self.epoch_began, self.iterations_before = now(), self.model.optimizer.iterations
end

function TensorBoard:on_train_batch_begin() self.batch_began = now() end

function TensorBoard:on_train_batch_end(batch, logs)
  if self.update_freq == "epoch" then return end
  -- steps_per_execution skips numbers; a number that is not higher begins an epoch
  local passed = batch > self.last_batch and batch - self.last_batch or batch
  local before = self.batches
  self.batches, self.last_batch = before + passed, batch
  if self.batches // self.update_freq == before // self.update_freq then return end
  local train = writer(self, "train")
  if self.write_steps_per_second and self.batch_began then
    train:scalar("batch_steps_per_second", passed / (now() - self.batch_began), self.batches)
  end
  for _, key in ipairs(logs_of.keys(logs)) do
    train:scalar("batch_" .. key, logs[key], self.batches)
  end
end

local function write_epoch(self, step, logs)
  local train = writer(self, "train")
  for _, key in ipairs(logs_of.keys(logs)) do
    local validated = key:match "^val_(.*)"
    if validated then
      writer(self, "validation"):scalar("epoch_" .. validated, logs[key], step)
    elseif key ~= "learning_rate" then
      train:scalar("epoch_" .. key, logs[key], step)
    end
  end
  local optimizer = self.model.optimizer
  train:scalar("epoch_learning_rate", optimizer.learning_rate, step)
  if self.write_steps_per_second then
    local steps = optimizer.iterations - self.iterations_before
    train:scalar("epoch_steps_per_second", steps / (now() - self.epoch_began), step)
  end
end

function TensorBoard:on_test_end(logs)
  local optimizer = self.model.optimizer
  if not optimizer then return end
  local out = writer(self, "validation")
  for _, key in ipairs(logs and logs_of.keys(logs) or {}) do
    out:scalar(("evaluation_%s_vs_iterations"):format(key), logs[key], optimizer.iterations)
  end
  out:flush()
end

-- weights -----------------------------------------------------------------------------------------

local function spread(values)
  local low, high = math.huge, -math.huge
  for _, v in ipairs(values) do
    if v < low then low = v end
    if v > high then high = v end
  end
  return low, high
end

-- Rows of {left, right, count} between the smallest and the largest value. Equal values stand in
-- the last of buckets without width.
local function buckets_of(values)
  local low, high = spread(values)
  local rows, width = {}, (high - low) / BUCKETS
  for i = 1, BUCKETS do
    rows[i] = #values == 0 and {0, 0, 0} or {low + (i - 1) * width, low + i * width, 0}
  end
  for _, v in ipairs(values) do
    local at = BUCKETS
    if width > 0 and v == v then
      at = math.min(math.floor((v - low) / width) + 1, BUCKETS)
    end
    rows[at][3] = rows[at][3] + 1
  end
  return rows
end

-- A picture's sample of a value between 0 and 1.
local function sample(v)
  if not (v > 0) then return 0 end
  return v >= 1 and 255 or math.floor(v * 255.5)
end

-- Pictures of a weight: {n, height, width, channels} and the tensor so arranged, or nil.
local function as_pictures(value)
  local w = core.is_tensor(value) and require("nnlua.ops").squeeze(value)
  local s = w.shape
  if #s == 1 then return {1, s[1], 1, 1}, w end
  if #s == 2 then
    if s[1] > s[2] then
      return {1, s[2], s[1], 1}, require("nnlua.ops").transpose(w)
    end
    return {1, s[1], s[2], 1}, w
  elseif #s == 3 then
    return {s[3], s[1], s[2], 1}, require("nnlua.ops").transpose(w, {3, 1, 2})
  elseif #s == 4 and (s[4] == 1 or s[4] == 3 or s[4] == 4) then
    return s, w
  end
end

local function write_pictures(out, tag, value, step)
  local s, w = as_pictures(value)
  if not s then return end
  local size = s[2] * s[3] * s[4]
  local flat = core.totable(core.reshape(core.astype(w), {w.size}))
  local list = {}
  for k = 1, math.min(s[1], PICTURES) do
    local samples = {}
    for i = 1, size do samples[i] = string.char(sample(flat[(k - 1) * size + i])) end
    list[k] = table.concat(samples)
  end
  out:images(tag, list, s[2], s[3], s[4], step)
end

local function write_weights(self, step)
  local out = writer(self, "train")
  for _, v in ipairs(self.model.weights) do
    local value = v:numpy()
    local flat = core.totable(core.reshape(core.astype(value), {value.size}))
    out:histogram(v.path .. "/histogram", buckets_of(flat), step)
    if self.write_images then write_pictures(out, v.path .. "/image", value, step) end
  end
end

function TensorBoard:on_epoch_end(epoch, logs)
  local step = epoch - 1
  write_epoch(self, step, logs)
  if self.histogram_freq > 0 and step % self.histogram_freq == 0 then write_weights(self, step) end
  if self.embeddings_freq > 0 and step % self.embeddings_freq == 0 then
    self.model:save_weights(("%s/train/keras_embedding.ckpt-%d.weights.h5"):format(
      self.log_dir, step))
  end
  for _, w in pairs(self.writers) do w:flush() end
end

function TensorBoard:on_train_end() close(self) end

return TensorBoard
