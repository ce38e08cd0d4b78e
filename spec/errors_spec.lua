-- Mistakes of a script: what the library says, at which line, and that the model goes on working.
--
-- This file is longer than 500 lines because the mistakes are one list. They and what a good
-- message holds are those of ../shared/conformance/training/errors.json;
-- the last spec of this file compares the lists.

local nn = require "nnlua"
local core = require "nnlua.core"
local shared = require "spec.support.shared"
local support = require "spec.support.mistakes"

local Dense = nn.layers.Dense

local numbers, ids, one_hot = support.numbers, support.ids, support.one_hot
local network, two_inputs, trains = support.network, support.two_inputs, support.trains
local warnings, raises, fit_raises = support.warnings, support.raises, support.fit_raises

-- the mistakes by id ------------------------------------------------------------------------------

local mistakes = {}

mistakes["wrong-feature-count"] = function()
  trains(fit_raises("fit: x has 5 columns but the model's input takes 4",
    {numbers(10, 5), ids(10)}))
end

mistakes["wrong-rank"] = function()
  trains(fit_raises("fit: x has shape (10, 4, 2) but the model takes (batch, 4)",
    {numbers(10, 4, 2), ids(10)}))
end

mistakes["x-y-lengths"] = function()
  trains(fit_raises("fit: x has 10 rows but y has 8", {numbers(10, 4), ids(8)}))
end

mistakes["output-shape"] = function()
  local model = fit_raises("fit: y has shape (10, 2) but the output is (batch, 3)",
    {numbers(10, 4), numbers(10, 2)}, network "mse")
  trains(model, nil, one_hot(10))
end

mistakes["int-labels-with-categorical"] = function()
  local model = fit_raises("fit: categorical_crossentropy wants one-hot rows (10, 3) but y holds "
    .. "class ids (10); use sparse_categorical_crossentropy", {numbers(10, 4), ids(10)},
    network "categorical_crossentropy")
  trains(model, nil, one_hot(10))
end

mistakes["one-hot-with-sparse"] = function()
  trains(fit_raises("fit: sparse_categorical_crossentropy wants class ids (10) but y is one-hot "
    .. "(10, 3); use categorical_crossentropy", {numbers(10, 4), one_hot(10)}))
end

mistakes["label-out-of-range"] = function()
  local y = ids(10)
  y[3] = 3
  local model = network()
  local before = model:get_weights()
  fit_raises("fit: y[3] is class 3 but the output has 3 classes, 0 to 2", {numbers(10, 4), y},
    model)
  for i, w in ipairs(model:get_weights()) do
    assert.equal(core.tobytes(before[i]), core.tobytes(w))
  end
  assert.equal(0, model.optimizer.iterations)
  y[3] = -1
  fit_raises("fit: y[3] is class -1 but the output has 3 classes, 0 to 2",
    {numbers(10, 4), y:astype "float32"}, model)
  raises("evaluate: y[3] is class -1 but the output has 3 classes, 0 to 2", function()
    model:evaluate{numbers(10, 4), y, verbose = 0}
  end)
  trains(model)
end

mistakes["unknown-optimizer"] = function()
  raises("compile: unknown optimizer 'adamm'; did you mean 'adam'?", function()
    network():compile{optimizer = "adamm", loss = "mse"}
  end)
end

mistakes["unknown-loss"] = function()
  local model = network()
  raises("compile: unknown loss 'crossentropi'; did you mean 'crossentropy'?", function()
    model:compile{optimizer = "sgd", loss = "crossentropi"}
  end)
  trains(model)
end

mistakes["loss-shortcut"] = function()
  local model = network("crossentropy", {"accuracy"})
  local h = model:fit{numbers(10, 4), ids(10), verbose = 0}
  assert.is_number(h.history.loss[1])
  assert.is_number(h.history.accuracy[1])
end

mistakes["unknown-metric"] = function()
  raises("compile: unknown metric 'acuracy'; did you mean 'accuracy'?", function()
    nn.Sequential{Dense(3)}:compile{loss = "mse", metrics = {"acuracy"}}
  end)
end

mistakes["unknown-initializer"] = function()
  raises("Dense: unknown initializer 'glorot'; did you mean 'glorot_uniform'?", function()
    Dense{3, kernel_initializer = "glorot"}
  end)
end

mistakes["unknown-argument"] = function()
  raises("Dense: unknown argument 'unit'; did you mean 'units'?", function() Dense{unit = 3} end)
end

mistakes["unknown-layer-argument"] = function()
  raises("Dense: unknown argument 'activaton'; did you mean 'activation'?", function()
    Dense{3, activaton = "relu"}
  end)
end

mistakes["missing-units"] = function()
  raises("Dense: units is missing", function() Dense{} end)
end

mistakes["zero-units"] = function()
  raises("Dense: units is 0, expected an integer above 0", function() Dense(0) end)
end

mistakes["fractional-units"] = function()
  raises("Dense: units is 2.5, expected an integer above 0", function() Dense{2.5} end)
end

mistakes["string-units"] = function()
  raises("Dense: units is a string, expected an integer above 0", function() Dense "five" end)
end

mistakes["dropout-rate"] = function()
  raises("Dropout: rate is 1.5, expected 0 to 1", function() nn.layers.Dropout(1.5) end)
end

mistakes["conv-too-small"] = function()
  raises("Conv2D: a 5x5 kernel does not fit in 3x3 input; pad or shrink the kernel", function()
    nn.layers.Conv2D{2, 5}(nn.Input{shape = {3, 3, 1}})
  end)
end

mistakes["fit-before-compile"] = function()
  local model = nn.Sequential{Dense{3, input_shape = {4}}}
  fit_raises("fit: the model is not compiled; call compile first", {numbers(10, 4), ids(10)}, model)
  model:compile{loss = "mse"}
  trains(model, nil, one_hot(10))
end

mistakes["evaluate-before-compile"] = function()
  local model = nn.Sequential{Dense{3, input_shape = {4}}}
  raises("evaluate: the model is not compiled; call compile first", function()
    model:evaluate{numbers(10, 4), ids(10), verbose = 0}
  end)
end

mistakes["no-loss"] = function()
  local model = nn.Sequential{Dense{3, input_shape = {4}}}
  model:compile{optimizer = "sgd"}
  fit_raises("fit: compile was given no loss", {numbers(10, 4), ids(10)}, model)
end

mistakes["unbuilt-count-params"] = function()
  raises("count_params: the model is not built; give input_shape or call build", function()
    nn.Sequential{Dense{3}}:count_params()
  end)
end

mistakes["unbuilt-summary"] = function()
  local text = {}
  nn.Sequential{Dense{3}}:summary{print_fn = function(s) text[#text + 1] = s end}
  assert.is_truthy(table.concat(text):find("unbuilt", 1, true))
end

mistakes["empty-model"] = function()
  local model = nn.Sequential{}
  model:compile{loss = "mse"}
  fit_raises("fit: the model has no layers", {numbers(10, 4), ids(10)}, model)
  model:add(Dense{3})
  trains(model, nil, one_hot(10))
end

mistakes["add-not-a-layer"] = function()
  local model = network()
  raises("add: expected a layer, got a string", function() model:add "dense" end)
  trains(model)
end

mistakes["same-layer-names"] = function()
  raises("Sequential: two layers are named 'd'", function()
    nn.Sequential{Dense{3, name = "d"}, Dense{3, name = "d"}}
  end)
end

mistakes["nan-inputs"] = function()
  local x = numbers(10, 4)
  x[4][2] = 0 / 0
  assert.equal("fit: x[4][2] is NaN", warnings(function()
    network():fit{x, ids(10), verbose = 0}
  end))
end

mistakes["string-data"] = function()
  local x = numbers(10, 4):totable()
  x[1][1] = "one"
  trains(fit_raises("fit: x[1][1] is a string, expected a number", {x, ids(10)}))
  x[1][1] = "1"
  trains(fit_raises("fit: x[1][1] is a string, expected a number", {x, ids(10)}))
end

mistakes["empty-data"] = function()
  trains(fit_raises("fit: x has no rows", {nn.zeros{0, 4}, nn.zeros{0}}))
  trains(fit_raises("fit: x has no rows", {{}, {}}))
end

mistakes["no-targets"] = function()
  trains(fit_raises("fit: y is missing but the model was compiled with a loss", {numbers(10, 4)}))
end

mistakes["ragged-lists"] = function()
  trains(fit_raises("fit: x: row 2 has 3 numbers, row 1 has 4",
    {{{1, 2, 3, 4}, {1, 2, 3}}, {0, 1}}))
end

mistakes["batch-size-0"] = function()
  trains(fit_raises("fit: batch_size is 0, expected an integer above 0",
    {numbers(10, 4), ids(10), batch_size = 0}))
end

mistakes["batch-size-negative"] = function()
  trains(fit_raises("fit: batch_size is -1, expected an integer above 0",
    {numbers(10, 4), ids(10), batch_size = -1}))
end

mistakes["epochs-negative"] = function()
  trains(fit_raises("fit: epochs is -1, expected an integer of 0 or more",
    {numbers(10, 4), ids(10), epochs = -1}))
end

mistakes["validation-split-high"] = function()
  trains(fit_raises("fit: validation_split is 1.5, expected 0 to below 1",
    {numbers(10, 4), ids(10), validation_split = 1.5}))
end

mistakes["validation-split-negative"] = function()
  trains(fit_raises("fit: validation_split is -0.2, expected 0 to below 1",
    {numbers(10, 4), ids(10), validation_split = -0.2}))
end

mistakes["validation-split-all"] = function()
  trains(fit_raises("fit: validation_split leaves 0 of 10 rows to train on",
    {numbers(10, 4), ids(10), validation_split = 0.999}))
end

mistakes["validation-lengths"] = function()
  trains(fit_raises("fit: validation_data: x has 5 rows but y has 4",
    {numbers(10, 4), ids(10), validation_data = {numbers(5, 4), ids(4)}}))
end

mistakes["validation-freq-0"] = function()
  trains(fit_raises("fit: validation_freq is 0, expected an integer above 0",
    {numbers(10, 4), ids(10), validation_freq = 0}))
end

mistakes["class-weight-and-two-outputs"] = function()
  local model = fit_raises("fit: class_weight wants class ids or one-hot rows",
    {numbers(10, 4), numbers(10, 3), class_weight = {[0] = 1, 2}}, network "mse")
  trains(model, nil, one_hot(10))
end

mistakes["class-weight-unknown-class"] = function()
  trains(fit_raises("fit: class_weight names class 7 but the output has 3 classes",
    {numbers(10, 4), ids(10), class_weight = {[0] = 1, [7] = 2}}))
  local model = fit_raises("fit: class_weight names class 7 but the output has 3 classes",
    {numbers(10, 4), one_hot(10), class_weight = {[7] = 2}}, network "categorical_crossentropy")
  trains(model, nil, one_hot(10))
end

mistakes["monitor-missing"] = function()
  local model, h = network(nil, {"accuracy"}), nil
  local said = warnings(function()
    h = model:fit{numbers(10, 4), ids(10), epochs = 2, verbose = 0,
      callbacks = {nn.callbacks.EarlyStopping{monitor = "val_acc"}}}
  end)
  assert.is_truthy(said:find("val_acc", 1, true))
  assert.is_truthy(said:find("accuracy,loss", 1, true))
  assert.equal(2, #h.history.loss)
end

mistakes["monitor-mode"] = function()
  raises("EarlyStopping: mode is 'sideways', expected auto, min or max", function()
    nn.callbacks.EarlyStopping{mode = "sideways"}
  end)
end

-- Where the value is missing the direction is not asked for: the warning says enough.
mistakes["monitor-direction"] = function()
  local model = network(nil, {function(_, p) return nn.ops.mean(p, {axis = -1}) end})
  local name
  for key in pairs(model:fit{numbers(10, 4), ids(10), verbose = 0}.history) do
    if key ~= "loss" then name = key end
  end
  raises(("EarlyStopping: cannot tell whether less or more of '%s' is better; give mode='min' or "
    .. "mode='max'"):format(name), function()
    model:fit{numbers(10, 4), ids(10), verbose = 0,
      callbacks = {nn.callbacks.EarlyStopping{monitor = name}}}
  end)
  trains(model)
end

mistakes["plateau-factor"] = function()
  raises("ReduceLROnPlateau: factor is 1.5, expected below 1", function()
    nn.callbacks.ReduceLROnPlateau{factor = 1.5}
  end)
end

mistakes["checkpoint-weights-suffix"] = function()
  raises("ModelCheckpoint: weights files end in .weights.h5 (or .safetensors), filepath is 'w.h5'",
  function()
    nn.callbacks.ModelCheckpoint{"w.h5", save_weights_only = true}
  end)
end

mistakes["checkpoint-template"] = function()
  local model = network(nil, {"accuracy"})
  raises("ModelCheckpoint: filepath names 'val_los' but the logs hold accuracy, loss", function()
    model:fit{numbers(10, 4), ids(10), verbose = 0,
      callbacks = {nn.callbacks.ModelCheckpoint "{val_los}.keras"}}
  end)
  trains(model)
end

mistakes["set-weights-count"] = function()
  local model = network()
  local weights = model:get_weights()
  weights[4] = nil
  raises("set_weights: got 3 arrays, the model has 4", function() model:set_weights(weights) end)
  trains(model)
end

mistakes["set-weights-shape"] = function()
  local model = network()
  local weights = model:get_weights()
  weights[1] = nn.ones{2, 2}
  raises("set_weights: array 1 is (2, 2), expected (4, 5)", function()
    model:set_weights(weights)
  end)
  trains(model)
end

mistakes["get-layer-index"] = function()
  raises("get_layer: index 9, the model has 2 layers", function()
    network():get_layer{index = 9}
  end)
end

mistakes["two-inputs-one-given"] = function()
  local model = fit_raises("fit: the model has 2 inputs (a, b) but x is one tensor",
    {numbers(10, 2), numbers(10, 1)}, two_inputs())
  trains(model, {numbers(10, 2), numbers(10, 3)}, numbers(10, 1))
end

mistakes["two-inputs-wrong-key"] = function()
  local model = fit_raises("fit: x has no 'b'; its keys are a, c",
    {{a = numbers(10, 2), c = numbers(10, 3)}, numbers(10, 1)}, two_inputs())
  trains(model, {a = numbers(10, 2), b = numbers(10, 3)}, numbers(10, 1))
end

mistakes["disconnected"] = function()
  raises("Model: the output does not depend on the inputs", function()
    local a, b = nn.Input{shape = {2}}, nn.Input{shape = {2}}
    nn.Model{inputs = a, outputs = Dense{1}(b)}
  end)
end

mistakes["concat-axis"] = function()
  raises("Concatenate: (batch, 3, 3, 1) and (batch, 4, 3, 1) differ off the axis -1", function()
    nn.layers.Concatenate(){nn.Input{shape = {3, 3, 1}}, nn.Input{shape = {4, 3, 1}}}
  end)
end

mistakes["reshape-size"] = function()
  raises("Reshape: 8 numbers do not fill (3, 3)", function()
    nn.layers.Reshape{{3, 3}}(nn.Input{shape = {8}})
  end)
end

mistakes["learning-rate-negative"] = function()
  raises("Adam: learning_rate is -1, expected 0 or more", function()
    nn.optimizers.Adam{learning_rate = -1}
  end)
end

mistakes["momentum-range"] = function()
  raises("SGD: momentum is 1.5, expected 0 to 1", function()
    nn.optimizers.SGD{momentum = 1.5}
  end)
end

mistakes["optimizer-reuse"] = function()
  local first, second = network(), network()
  local adam = nn.optimizers.Adam{}
  first:compile{optimizer = adam, loss = "mse"}
  second:compile{optimizer = adam, loss = "mse"}
  trains(first, nil, one_hot(10))
  fit_raises("fit: this optimizer already belongs to another model",
    {numbers(10, 4), one_hot(10)}, second)
  trains(first, nil, one_hot(10))
end

mistakes["load-missing-file"] = function()
  raises("load_model: nope.keras: no such file", function() nn.saving.load_model "nope.keras" end)
end

mistakes["load-wrong-suffix"] = function()
  raises("load_model: unknown ending '.txt'; expected .keras, .h5, .hdf5 or .safetensors",
    function() nn.saving.load_model "model.txt" end)
end

mistakes["save-wrong-suffix"] = function()
  local model = network()
  local ok, e = pcall(function() model:save "model.txt" end)
  assert.is_false(ok)
  assert.is_truthy(e:find("save: unknown ending '.txt'; expected .keras, .h5", 1, true), e)
end

mistakes["embedding-out-of-range"] = function()
  local model = nn.Sequential{nn.layers.Embedding{5, 2, input_shape = {2}}, nn.layers.Flatten(),
    Dense{3}}
  model:compile{optimizer = "sgd", loss = "mse"}
  local x = nn.tensor({{0, 9}, {1, 2}}, "int32")
  fit_raises("Embedding: token 9 at row 1, column 2, expected 0 to 4",
    {x, nn.ones{2, 3}, shuffle = false}, model)
  raises("Embedding: token 9 at row 1, column 2, expected 0 to 4", function()
    model:predict{x, verbose = 0}
  end)
  x[1][2] = 4
  trains(model, x, nn.ones{2, 3})
end

mistakes["predict-wrong-shape"] = function()
  raises("predict: x has 3 columns but the model's input takes 4", function()
    network():predict{numbers(10, 3), verbose = 0}
  end)
end

mistakes["predict-one-row"] = function()
  raises("predict: x has shape (4); for one row write (1, 4)", function()
    network():predict{numbers(4), verbose = 0}
  end)
end

mistakes["metric-shape"] = function()
  local model = network(nil, {nn.metrics.AUC{}})
  fit_raises("compile: AUC wants y and the output of one shape, got (10) and (10, 3)",
    {numbers(10, 4), ids(10)}, model)
  model:compile{loss = "sparse_categorical_crossentropy"}
  trains(model)
end

local names = {}
for id in pairs(mistakes) do names[#names + 1] = id end
table.sort(names)

describe("a mistake", function()
  for _, id in ipairs(names) do it(id, mistakes[id]) end

  it("of every listed kind has a spec here", function()
    local cases = shared.cases "training/errors.json"
    if not cases then return pending(shared.ABSENT) end
    for _, case in ipairs(cases) do
      assert.is_not_nil(mistakes[case.id], case.id .. ": " .. case.what)
    end
  end)
end)
