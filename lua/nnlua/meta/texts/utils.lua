-- Texts of nn.utils for the reference; see tools/docs/reference.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local pair = "local x, y = nn.arange(10):reshape{10, 1}, nn.arange(10)\n"

local kinds = {
  max_tokens = "Largest vocabulary.", num_oov_indices = "Indices for unknown values.",
  num_bins = "Number of bins.", output_mode = "\"one_hot\", \"int\" or \"float\".",
}

local space = [[
local S = nn.utils.FeatureSpace
local space = S{{age = S.float_normalized(), city = S.string_categorical()}}
space:adapt{age = {30, 40}, city = {"Ulm", "Bonn"}}
]]

return {
  intro = "Helpers for labels, splits, tables of raw rows, reports and progress.",
  source = "Keras 3.15.1, keras.utils.%s",
  errors = "Lengths that do not agree, class ids below 0, fractions outside 0 .. 1.",
  arguments = {
    n = "How many more steps.", values = "{{name, value}, ...}.",
    dataset = "A data set, or {x, y}.",
    test_size = "A fraction, or a number of rows.", k = "Number of parts, 2 or more.",
    metric = "\"loss\", a name of the compiled metrics, or a function.",
    repeats = "Shufflings of each "
      .. "column.", order = "The norm's order.", data = "The series, or a batch.",
    x = "A tensor; rows first.", params = "Named arguments.", v = "The value.",
  },
  entries = {
    to_categorical = {"Class ids as one-hot rows.", shapes = "(...) ids to (..., num_classes).",
      returns = "A tensor.",
      example = "print(nn.utils.to_categorical({2, 0}, 3)) --> [[0. 0. 1.] [1. 0. 0.]]"},
    normalize = {"x divided by its norm along the axis.", shapes = "Any shape to the same.",
      returns = "A tensor.",
      example = "print(nn.utils.normalize(nn.tensor{{3, 4}})) --> [[0.6 0.8]]"},
    set_random_seed = {"As nn.set_random_seed.", example = "nn.utils.set_random_seed(7)",
      args = {n = "An integer."}},
    clear_session = {"Automatic names begin at 0 again.", returns = "Nothing.",
      example = "nn.utils.clear_session()"},
    train_test_split = {"Rows for training and for testing.",
      returns = "x_train, x_test, and with y: y_train, y_test.", source = "nnlua, as scikit-learn",
      shapes = "x (N, ...), y (N, ...).", example = pair .. [[
local x_train, x_test = nn.utils.train_test_split{x, y, test_size = 0.3, seed = 1}
print(#x_train, #x_test) --> 7 3]]},
    k_fold = {"Iterates over k folds: `for i, train, test in ...`, each {x, y}.",
      returns = "An iterator.", source = "nnlua, as scikit-learn",
      shapes = "x (N, ...), y (N, ...).",
      example = pair .. "for i, train, test in nn.utils.k_fold{x, y, k = 5, seed = 1} do n = "
        .. "#test[1] end\n"
        .. "print(n) --> 2"},
    balanced_class_weight = {"Weights N / (classes * rows of the class), for fit's class_weight.",
      returns = "class id -> weight.", source = "King and Zeng 2001", shapes = "y (N,) class ids.",
      args = {y = "Class ids."},
      example = "print(nn.utils.balanced_class_weight(nn.tensor{0, 0, 0, 1})[1]) --> 2.0"},
    confusion_matrix = {"Counts by true class (rows) and predicted class (columns).",
      returns = "An int32 tensor (C, C).", shapes = "Class ids (N,), or rows (N, C).",
      source = "nnlua, as scikit-learn",
      example = "print(nn.utils.confusion_matrix(nn.tensor{0, 1, 1}, nn.tensor{0, 1, 0})) --> "
        .. "[[1 0] [1 1]]"},
    classification_report = {"Precision, recall, F1 and support of each class, as a table.",
      returns = "An object that prints as text.", shapes = "Class ids (N,), or rows (N, C).",
      args = {names = "Names of the classes."}, source = "nnlua, as scikit-learn",
      example = "print(nn.utils.classification_report(nn.tensor{0, 1}, nn.tensor{0, 1}) ~= "
        .. "nil) --> true"},
    permutation_importance = {"How much worse a metric gets when one column is shuffled.",
      returns = "A table for each column.", shapes = "x (N, F), y (N, ...).",
      paper = "Breiman 2001",
      source = "nnlua", example = [[
local model = nn.Sequential{nn.layers.Dense{1, input_shape = {2}}}
model:compile{loss = "mse"}
print(nn.utils.permutation_importance{model, nn.zeros{4, 2}, nn.zeros{4, 1}} ~= nil) --> true]]},
    pad_sequences = {"Lists of different lengths as one tensor.",
    signature = "(sequences, maxlen=nil, "
      .. "dtype=\"int32\", padding=\"pre\", truncating=\"pre\", value=0.0)",
      args = {["..."] = "maxlen: length of the rows, nil the longest; padding, truncating: "
        .. "\"pre\" or "
        .. "\"post\"; value: what to fill with."}, returns = "A tensor.",
        shapes = "(sequences, maxlen).",
      example = "print(nn.utils.pad_sequences{{{1}, {2, 3}}}) --> [[0 1] [2 3]]"},
    split_dataset = {"Two data sets: the first and the last elements.", args = {
      left_size = "A fraction or a number; nil: the rest.",
      right_size = "A fraction or a number; nil: the rest.",
      preferred_backend = "Taken for Keras's sake."}, returns = "Two data sets.",
      example = pair .. [[
local left, right = nn.utils.split_dataset{{x, y}, left_size = 0.8}
print(right:cardinality()) --> 2]]},
    timeseries_dataset_from_array = {"Windows of a series as a data set of batches.", args = {
      data = "The series (rows, ...).", targets = "A row for each beginning; nil: none.",
      sequence_length = "Rows of a window.", sequence_stride = "Rows between two beginnings.",
      sampling_rate = "Take every so many rows.", batch_size = "Windows of a batch.",
      start_index = "First row, from 1.", end_index = "Last row.",
      format = "Taken for Keras's sake."},
      returns = "A data set.", shapes = "(rows, ...) to batches (N, sequence_length, ...).",
      example = [[
local d = nn.utils.timeseries_dataset_from_array{nn.arange(5), nil, sequence_length = 3,
  targets = nn.None}
for x in d:iterate() do print(x.shape[1], x.shape[2]) end --> 3 3]]},
    PyDataset = {"A data set whose batches a class of your own makes, by number.", args = {
      workers = "Taken for Keras's sake.", use_multiprocessing = "Taken for Keras's sake.",
      max_queue_size = "Taken for Keras's sake."}, returns = "A data set.",
      example = "print(nn.utils.PyDataset.class_name) --> PyDataset"},
    Progbar = {"Keras's progress bar.", args = {target = "Number of steps; nil: unknown.",
      width = "Cells of the bar.", verbose = "0 silent, 1 bar, 2 a line.",
      interval = "Seconds between two drawings.", stateful_metrics = "Names shown as they come.",
      stateless_metrics = "Names averaged.", unit_name = "What a step is called."},
      returns = "A bar.", example = "nn.utils.Progbar{3, verbose = 0}:update(1)"},
    FeatureSpace = {"From named columns of raw rows to a model's input, adapted on training rows.",
      args = {features = "name -> feature.", output_mode = "\"concat\" or \"dict\".",
        crosses = "Features hashed together.", crossing_dim = "Bins of crosses.",
        hashing_dim = "Bins of hashed features.", num_discretization_bins = "Bins of buckets."},
      shapes = "Rows to (N, width), or name -> (N, ...).", returns = "A space.",
      errors = "A column that is missing; a use before adapt.",
      example = space .. "print(space{age = {30}, city = {\"Ulm\"}}.shape[1]) --> 1"},
    predict_rows = {"predict for raw rows, through the model's feature_space.",
    returns = "A tensor.",
      args = {rows = "A Table, name -> cells, or one row."}, source = "nnlua",
      errors = "The model has no feature_space.",
      example = space .. [[
local x = space{age = {30}, city = {"Ulm"}}
local model = nn.Sequential{nn.layers.Dense{1, input_shape = {x.shape[2]}}}
model.feature_space = space
print(nn.utils.predict_rows(model, {age = {30, 40}, city = {"Ulm", "Bonn"}}).shape[1]) --> 2]]},
    pack_x_y_sample_weight = {"{x, y, sample_weight} without what is nil.", returns = "A list.",
      example = "print(#nn.utils.pack_x_y_sample_weight(1, 2)) --> 2"},
    unpack_x_y_sample_weight = {"x, y, sample_weight of such a list.", returns = "Three values.",
      example = "print(nn.utils.unpack_x_y_sample_weight{1, 2}) --> 1 2 nil"},
  },
  fields = {FeatureSpace = {features = "name -> feature.", preprocessors = "name -> layer.",
    output_mode = "\"concat\" or \"dict\"."}},
  internal = {FeatureSpace = "needs_data output_width"},
  methods = {
    FeatureSpace = {
      float = "A number as it is.", float_normalized = "A number, less the mean, by the deviation.",
      float_rescaled = {"A number times scale plus offset.", args = {scale = "The factor.",
        offset = "What is added."}},
      float_discretized = {"The bin of a number.", args = {num_bins = "Bins that adapt finds.",
        bin_boundaries = "Boundaries, ascending.", output_mode = kinds.output_mode}},
      integer_categorical = {"Whole numbers as categories.", args = kinds and {
        max_tokens = kinds.max_tokens, num_oov_indices = kinds.num_oov_indices,
        output_mode = kinds.output_mode}},
      string_categorical = {"Texts as categories.", args = {max_tokens = kinds.max_tokens,
        num_oov_indices = kinds.num_oov_indices, output_mode = kinds.output_mode}},
      integer_hashed = {"The bin of a whole number's hash.", args = {num_bins = kinds.num_bins,
        output_mode = kinds.output_mode}},
      string_hashed = {"The bin of a text's hash.", args = {num_bins = kinds.num_bins,
        output_mode = kinds.output_mode}},
      feature = {"A feature with a preprocessing layer of your own.",
        signature = "(dtype, preprocessor, output_mode)", args = {["..."] = "dtype, layer, mode."}},
      cross = {"Columns whose combinations are hashed.",
        signature = "(feature_names, crossing_dim, output_mode)",
        args = {["..."] = "Names, bins, mode."}},
    },
    PyDataset = {on_epoch_end = "An epoch has ended; data sets of your own may shuffle here."},
  },
}
