-- A regression that knows when to stop: how far has a disease gone after a year? Runs in a second;
-- ends with a mean absolute error of about 0.55 standard deviations (always the mean: 0.83).
--
--   nnlua examples/02_regression.lua [folder for the checkpoint]

local nn = require "nnlua"
local here = arg[0]:match("^(.*)/[^/]*$") or "."
local out = arg[1] or "."

nn.set_random_seed(2)

local patients = nn.data.csv(here .. "/data/diabetes.csv"):standardize()
local x = patients:drop{"target"}:tensor()
local y = patients:select{"target"}:tensor()
local x_train, x_test, y_train, y_test = nn.utils.train_test_split{x, y, test_size = 0.2, seed = 2}

local model = nn.Sequential{
  nn.Input{shape = {10}},
  nn.layers.Dense{32, activation = "relu", kernel_regularizer = nn.regularizers.L2{1e-3}},
  nn.layers.Dropout{0.2},
  nn.layers.Dense{16, activation = "relu"},
  nn.layers.Dense{1},
}
model:compile{optimizer = nn.optimizers.Adam{learning_rate = 3e-3}, loss = "mse", metrics = {"mae"}}

local best = out .. "/diabetes.safetensors"
local history = model:fit{
  x_train, y_train, epochs = 500, batch_size = 32, verbose = 0, validation_split = 0.2,
  callbacks = {
    nn.callbacks.EarlyStopping{patience = 20, restore_best_weights = true},
    nn.callbacks.ReduceLROnPlateau{patience = 8, factor = 0.5},
    nn.callbacks.ModelCheckpoint{best, save_best_only = true},
  },
}
print(("%d epochs, ended by %s"):format(#history.epoch, history.stopped or "the last epoch"))

local loss, mae = table.unpack(model:evaluate{x_test, y_test, verbose = 0})
print(("test: loss %.4f, mean absolute error %.4f standard deviations"):format(loss, mae))

local again = nn.saving.load_model(best)
print(("from the checkpoint: %.4f"):format(again:evaluate{x_test, y_test, verbose = 0}[2]))
history:plot{metrics = {"loss"}}
