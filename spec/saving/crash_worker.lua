-- One process of the crash test: trains with a backup every other batch; when it gets to the end,
-- writes a digest of all that must be equal. `nnlua crash_worker.lua FOLDER [VARIANT]`
--
-- The variants share out optimizers, kinds of data, weights, callbacks and endings. Digested are
-- weights, slots, history, the callbacks' files and the checkpoints that ModelCheckpoint left.

local nn = require "nnlua"
local core = require "nnlua.core"

local folder, variant = arg[1], tonumber(arg[2] or 1)
local C, L, O = nn.callbacks, nn.layers, nn.optimizers

local function path(name) return folder .. "/" .. name end

nn.utils.set_random_seed(11)
local rows = 60
local x = nn.random.normal{{rows, 6}}
local y = nn.ops.cast(nn.ops.greater(nn.ops.sum(x, {axis = -1}), 0), "int32")

local function mlp(...)
  return nn.Sequential{nn.Input{shape = {6}}, L.Dense{8, activation = "relu"}, ...}
end

local function arrays(more)
  local a = {x, y, batch_size = 8, validation_split = 0.2}
  for key, v in pairs(more or {}) do a[key] = v end
  return a
end

-- Batches that are shuffled by the data set.
local function data_set()
  return {nn.data.Dataset.from_tensors{x, y}:shuffle{rows, seed = 9}:batch(8),
    validation_data = {x, y}}
end

local function sample_weight()
  return nn.ops.add(nn.random.uniform{{rows}}, 0.5)
end

local early = {monitor = "val_loss", patience = 4, restore_best_weights = true}

local variants = {
  {optimizer = O.Adam{learning_rate = 0.02}, data = arrays(),
    model = mlp(L.BatchNormalization{}, L.Dropout{0.3}, L.Dense{2, activation = "softmax"}),
    callbacks = {C.EarlyStopping(early),
      C.ReduceLROnPlateau{monitor = "loss", patience = 1, factor = 0.5}}},
  {optimizer = O.SGD{learning_rate = 0.05, momentum = 0.9, nesterov = true}, data = data_set(),
    model = mlp(L.Dropout{0.2}, L.Dense{2, activation = "softmax"}),
    callbacks = {C.EarlyStopping(early), C.CSVLogger{path "log.csv", append = true},
      C.ModelCheckpoint{path "best.keras", save_best_only = true}}},
  {optimizer = O.RMSprop{learning_rate = 0.01, momentum = 0.5, centered = true},
    data = arrays{sample_weight = sample_weight()},
    model = mlp(L.GaussianNoise{0.1}, L.Dense{2, activation = "softmax"}),
    callbacks = {C.ReduceLROnPlateau{monitor = "val_loss", patience = 1, factor = 0.5},
      C.ModelCheckpoint{path "{epoch}-{batch}.weights.h5", save_weights_only = true,
        save_freq = 3}}},
  {optimizer = O.AdamW{learning_rate = nn.optimizers.schedules.CosineDecay{0.05, 40},
      clipnorm = 1},
    data = arrays{class_weight = {[0] = 1, 2}},
    model = mlp(L.LayerNormalization{}, L.AlphaDropout{0.1}, L.Dense{2, activation = "softmax"}),
    callbacks = {C.CSVLogger{path "log.csv"}, C.ModelCheckpoint{path "m.h5"},
      C.ModelCheckpoint{path "{epoch}.safetensors"}}},
  {optimizer = O.Nadam{learning_rate = 0.02, use_ema = true, ema_overwrite_frequency = 5},
    data = data_set(), backup = "epoch",
    model = mlp(L.Reshape{{4, 2}}, L.GRU{4, dropout = 0.2}, L.Dense{2, activation = "softmax"}),
    callbacks = {C.EarlyStopping(early), C.CSVLogger{path "log.csv", append = true},
      C.ModelCheckpoint{path "m.keras", double_checkpoint = true}}},
}

if not variants[variant] then os.exit(3) end -- asked for how many there are

local v = variants[variant]
local model, data, callbacks = v.model, v.data, v.callbacks
model:compile{optimizer = v.optimizer, loss = "sparse_categorical_crossentropy",
  metrics = {"accuracy"}}
callbacks[#callbacks + 1] = C.BackupAndRestore{backup_dir = path "backup",
  save_freq = v.backup or 2, double_checkpoint = true, delete_checkpoint = false}
data.epochs, data.verbose, data.callbacks = 6, 0, callbacks

local history = model:fit(data)

local parts = {}
for _, w in ipairs(model:get_weights()) do parts[#parts + 1] = w end
for _, one in ipairs(model.optimizer.variables) do parts[#parts + 1] = core.new(one.tensor) end
for _, name in ipairs(history:names()) do
  for _, value in ipairs(history.history[name]) do
    parts[#parts + 1] = ("%s %a\n"):format(name, value)
  end
end
parts[#parts + 1] = ("%d steps, rate %a"):format(model.steps_done,
  core.new(model.optimizer.learning_rate):item())
local names = core.sys.listdir(folder)
table.sort(names)
for _, name in ipairs(names) do
  -- not what killed processes left, nor copies of files that a repeated save replaced
  local other = name == "log" or name == "backup" or name:find "%.tmp%f[-\0]" or name:find "%.bkp$"
  if not other then parts[#parts + 1] = name .. " " .. core.sha256_file(path(name)) end
end
assert(core.sys.fsync_write(path "digest", core.sha256(parts)))
