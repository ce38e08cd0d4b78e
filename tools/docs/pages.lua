-- The pages of the reference. A page shows namespaces (`spaces`) and classes' methods (`classes`).
--
-- space: prefix and value; `files`: patterns of the files whose annotations belong to it.
-- class: name, value, how an object is called in signatures, files.

local nn = require "nnlua"
local core = require "nnlua.core"

local function page(id, title, spaces, classes)
  return {id = id, title = title, spaces = spaces, classes = classes or {}}
end

local function space(prefix, value, files, only)
  return {prefix = prefix, value = value, files = files, only = only}
end

local function methods(name, value, object, files)
  return {name = name, value = value, object = object, files = files}
end

-- What stands in `nn` itself and is not a page of its own, by page.
local top = {
  tensors = {"tensor", "zeros", "ones", "full", "arange", "linspace", "eye", "Variable", "None",
    "value_and_grad"},
  models = {"Sequential", "Model", "Input"},
  config = {"set_random_seed", "version"},
}

local function named(id) return space("nn.", nn, {"lua/nnlua/"}, top[id]) end

local function registry(id, title, class_name, object)
  local files = {"^lua/nnlua/" .. id .. "/", "^lua/nnlua/" .. id .. "%.lua", "registry%.lua$"}
  local classes = {}
  if class_name then
    classes[1] = methods(class_name, nn[id][class_name], object, files)
  end
  return page(id, title, {space("nn." .. id .. ".", nn[id], files)}, classes)
end

local function files_of(...)
  local list = {}
  for i, name in ipairs {...} do list[i] = "^lua/nnlua/" .. name end
  return list
end

local pages = {
  page("tensors", "Tensors and gradients", {named "tensors"}, {
    methods("Tensor", core.methods, "t", files_of "tensor%.lua"),
    methods("Variable", nn.Variable, "v", files_of "variable%.lua"),
  }),
  page("models", "Models and training", {named "models",
    space("nn.models.", nn.models, files_of("models%.lua", "saving/"))}, {
    methods("Model", nn.Model, "model", files_of("model%.lua", "trainer/", "layers/surface")),
    methods("Sequential", nn.Sequential, "model", files_of "sequential%.lua"),
  }),
  registry("layers", "Layers", "Layer", "layer"),
  registry("activations", "Activations"),
  registry("initializers", "Initializers", "Initializer", "initializer"),
  registry("regularizers", "Regularizers", "Regularizer", "regularizer"),
  registry("constraints", "Constraints", "Constraint", "constraint"),
  registry("losses", "Losses", "Loss", "loss"),
  registry("metrics", "Metrics", "Metric", "metric"),
  registry("optimizers", "Optimizers", "Optimizer", "optimizer"),
  page("schedules", "Learning-rate schedules", {space("nn.optimizers.schedules.",
    nn.optimizers.schedules, files_of "optimizers/schedules/")},
    {methods("LearningRateSchedule", nn.optimizers.schedules.LearningRateSchedule, "schedule",
      files_of "optimizers/schedules/")}),
  registry("callbacks", "Callbacks", "Callback", "callback"),
  page("ops", "Operations", {space("nn.ops.", nn.ops, files_of "ops/")}),
  page("random", "Random numbers", {space("nn.random.", nn.random, files_of "random%.lua")}),
  page("data", "Data", {space("nn.data.", nn.data, files_of "data/"),
    space("nn.datasets.", nn.datasets, files_of "datasets/")}, {
    methods("Table", nn.data.Table, "table", files_of "data/table"),
    methods("Dataset", nn.data.Dataset, "dataset", files_of "data/dataset"),
  }),
  page("utils", "Utilities", {space("nn.utils.", nn.utils, files_of("utils/", "seed", "names",
    "progbar"))}, {
    methods("FeatureSpace", nn.utils.FeatureSpace, "space", files_of "utils/feature_space"),
    methods("Progbar", nn.utils.Progbar, "bar", files_of "progbar"),
    methods("PyDataset", nn.utils.PyDataset, "dataset", files_of "utils/py_dataset"),
  }),
  page("saving", "Saving", {space("nn.saving.", nn.saving, files_of "saving/")}),
  page("config", "Configuration", {named "config",
    space("nn.config.", nn.config, files_of "config%.lua")}),
}

table.insert(pages[12].classes, methods("History", nn.callbacks.History, "history",
  files_of "history%.lua"))

return pages
