-- What arguments of these names mean everywhere, and what all functions raise.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local arguments = {
  x = "The input: a tensor, a number or nested tables of numbers.",
  x1 = "First operand: tensor or number; operands broadcast as in NumPy.",
  x2 = "Second operand.",
  xs = "A list of tensors.",
  y_true = "Labels: a tensor of the predictions' shape (class ids 0 .. C-1: without the last "
    .. "axis).",
  y_pred = "Predictions: a tensor, rows first.",
  sample_weight = "Weights of the rows: (N,), or of the shape of the values.",
  axis = "Axis from 1; negative numbers count from the last, which is -1. nil: all axes, where the "
    .. "function allows it.",
  keepdims = "Keep reduced axes with size 1.",
  dtype = "\"float32\", \"int32\" or \"uint8\"; nil: the usual one of the function.",
  name = "A name for messages, logs and files; nil makes one up.",
  seed = "An integer makes the numbers repeatable; nil draws a seed from nn.set_random_seed's "
    .. "sequence.",
  shape = "A list of sizes.",
  path = "A file's name.",
  filepath = "The file's name; its ending chooses the format.",
  config = "What `get_config` or `serialize` gave: a table of names and values.",
  custom_objects = "Own classes and functions by name, looked at first.",
  identifier = "A name, a class, an object, a function, a table {class_name=, config=}, or nil.",
  where = "How an error message begins.",
  object = "The object to turn into data.",
  model = "The model.",
  from_logits = "Predictions are logits, before sigmoid or softmax.",
  label_smoothing = "From 0 to 1: how far labels move to the uniform distribution.",
  reduction = "\"sum_over_batch_size\" (= \"mean\"), \"sum\", \"mean_with_sample_weight\" or "
    .. "\"none\".",
  data_format = "\"channels_last\"; nil: the same.",
  threshold = "Predictions above it count as positive; from 0 to 1.",
  thresholds = "One number or a list, each from 0 to 1; nil: 0.5.",
  class_id = "Only this class counts (from 0).",
  ignore_class = "Labels of this class id are left out.",
  activation = "A name, a function, or nil for none (`linear`).",
  use_bias = "Add a bias vector.",
  fn = "A function.",
  f = "A function.",
  learning_rate = "A number, a schedule, or a function without arguments.",
  verbose = "0 is silent; 1 writes.",
  layer = "The layer inside.",
  weights = "Weights: numbers or tensors.",
  y = "Labels: tensor, nested tables, or a list of them; nil where x brings them.",
  batch_size = "Rows of a batch, above 0; nil: 32.",
  callbacks = "A list of callbacks, or of tables of hooks.",
  steps = "Batches at most; nil: all.",
  shuffle = "Mix the rows first.",
  overwrite = "false: an existing file is an error.",
  options = "Named arguments.",
  return_dict = "Give a table name -> number.",
  stratify = "Class ids or one-hot rows whose shares are kept; true = y.",
  num_classes = "Number of classes; nil: from the data.",
  rows = "Rows of data.",
  names = "A list of names.",
  initializer = "An identifier of nn.initializers, or a tensor.",
  trainable = "Whether training changes it.",
  value = "A value: tensor, number or nested tables.",
  zipped = "Taken for Keras's sake.",
}

for part in ("kernel bias depthwise pointwise embeddings beta gamma alpha moving_mean "
  .. "moving_variance activity"):gmatch "%S+" do
  local what = part:gsub("wise$", "wise kernel"):gsub("_", " ")
  arguments[part .. "_initializer"] = ("Start of the %s: an identifier of nn.initializers.")
    :format(what)
  arguments[part .. "_regularizer"] = ("Penalty of the %s: an identifier of nn.regularizers.")
    :format(what)
  arguments[part .. "_constraint"] = ("What the %s is projected on after each step.")
    :format(what)
end

local methods = {
  extend = {"A class of one's own, made from this one.",
    args = {name = "The class's name.", sub_name = "The class's name.",
      fields = "`args`: the signature, such as \"units, activation=None\"; other fields.",
      sub_fields = "`args`: the signature, such as \"units, activation=None\"; other fields."}},
  get_config = {"The arguments by name, of which `from_config` makes an equal object."},
  from_config = {"The object that a config describes.",
    args = {config = "What `get_config` gave."}},
}

return {
  arguments = arguments,
  methods = methods,
  errors = "A missing, unknown or unfit argument is an error that says what was expected.",
}
