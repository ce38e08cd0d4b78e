-- One process of the crash test: trains with a backup every other batch; when it gets to the end,
-- writes a digest of all that must be equal. `nnlua crash_worker.lua FOLDER`

local nn = require "nnlua"
local core = require "nnlua.core"

local folder = arg[1]

nn.utils.set_random_seed(11)
local x = nn.random.normal{{60, 6}}
local y = nn.ops.cast(nn.ops.greater(nn.ops.sum(x, {axis = -1}), 0), "int32")

local model = nn.Sequential{nn.Input{shape = {6}}, nn.layers.Dense{8, activation = "relu"},
  nn.layers.BatchNormalization{}, nn.layers.Dropout{0.3},
  nn.layers.Dense{2, activation = "softmax"}}
model:compile{optimizer = nn.optimizers.Adam{learning_rate = 0.02},
  loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}

local history = model:fit{x, y, epochs = 6, batch_size = 8, validation_split = 0.2, verbose = 0,
  callbacks = {
    nn.callbacks.EarlyStopping{monitor = "val_loss", patience = 4, restore_best_weights = true},
    nn.callbacks.ReduceLROnPlateau{monitor = "loss", patience = 1, factor = 0.5},
    nn.callbacks.BackupAndRestore{backup_dir = folder .. "/backup", save_freq = 2,
      double_checkpoint = true, delete_checkpoint = false},
  }}

local parts = {}
for _, w in ipairs(model:get_weights()) do parts[#parts + 1] = w end
for _, v in ipairs(model.optimizer.variables) do parts[#parts + 1] = core.new(v.tensor) end
for _, name in ipairs(history:names()) do
  for _, value in ipairs(history.history[name]) do
    parts[#parts + 1] = ("%s %a\n"):format(name, value)
  end
end
parts[#parts + 1] = ("%d steps, rate %a"):format(model.steps_done, model.optimizer.learning_rate)
assert(core.sys.fsync_write(folder .. "/digest", core.sha256(parts)))
