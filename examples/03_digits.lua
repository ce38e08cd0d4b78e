-- Handwritten digits, 8 x 8 pixels: about 97 % right after two seconds; and what it gets wrong.
--
--   nnlua examples/03_digits.lua

local nn = require "nnlua"
local here = arg[0]:match("^(.*)/[^/]*$") or "."

nn.set_random_seed(3)

local digits = nn.data.csv(here .. "/data/digits.csv")
local y = digits:select{"label"}:tensor("int32"):reshape{-1}
local x = digits:drop{"label"}:tensor() / 16
local x_train, x_test, y_train, y_test =
  nn.utils.train_test_split{x, y, test_size = 0.2, stratify = true, seed = 3}

local model = nn.Sequential{
  nn.Input{shape = {64}},
  nn.layers.Dense{64, activation = "relu"},
  nn.layers.BatchNormalization(),
  nn.layers.Dropout{0.3},
  nn.layers.Dense{64, activation = "relu"},
  nn.layers.Dense{10, activation = "softmax"},
}
model:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy", metrics = {"accuracy"}}
model:fit{x_train, y_train, epochs = 30, batch_size = 32, verbose = 2,
  validation_data = {x_test, y_test}}

local guess = model:predict_classes{x_test, verbose = 0}
print(nn.utils.classification_report{y_test, guess})

local shades = {[0] = " ", ".", ":", "o", "#"}
for i = 1, #guess do
  if guess[i] ~= y_test[i] then
    print(("\na %d, taken for a %d"):format(y_test[i], guess[i]))
    for row = 1, 8 do
      local line = {}
      for column = 1, 8 do
        line[column] = shades[math.floor(x_test[i][(row - 1) * 8 + column] * 4)]:rep(2)
      end
      print(table.concat(line))
    end
    break
  end
end
