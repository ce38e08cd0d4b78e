-- nn.utils: small helpers. Modules load when first asked for.

-- name -> module that is the value, or {module, field}
local MODULES = {
  Progbar = "nnlua.progbar",
  to_categorical = {"nnlua.utils.arrays", "to_categorical"},
  normalize = {"nnlua.utils.arrays", "normalize"},
  set_random_seed = {"nnlua.seed", "set_random_seed"},
  clear_session = {"nnlua.names", "clear_session"},
  train_test_split = {"nnlua.utils.split", "train_test_split"},
  k_fold = {"nnlua.utils.split", "k_fold"},
  balanced_class_weight = {"nnlua.utils.report", "balanced_class_weight"},
  confusion_matrix = {"nnlua.utils.report", "confusion_matrix"},
  classification_report = {"nnlua.utils.report", "classification_report"},
  permutation_importance = {"nnlua.utils.report", "permutation_importance"},
  timeseries_dataset_from_array = "nnlua.utils.timeseries",
  split_dataset = "nnlua.utils.split_dataset",
  PyDataset = "nnlua.utils.py_dataset",
  Sequence = "nnlua.utils.py_dataset",
  FeatureSpace = "nnlua.utils.feature_space",
  predict_rows = {"nnlua.utils.feature_rows", "predict_rows"},
  pack_x_y_sample_weight = {"nnlua.utils.tuples", "pack"},
  unpack_x_y_sample_weight = {"nnlua.utils.tuples", "unpack"},
  register_keras_serializable = {"nnlua.saving", "register_keras_serializable"},
  serialize_keras_object = {"nnlua.saving", "serialize_keras_object"},
  deserialize_keras_object = {"nnlua.saving", "deserialize_keras_object"},
  pad_sequences = {"nnlua.utils.pad_sequences", "pad_sequences"},
}

return setmetatable({}, {
  __index = function(t, name)
    local where = MODULES[name]
    if not where then return nil end
    local value = require(type(where) == "table" and where[1] or where)
    if type(where) == "table" then value = value[where[2]] end
    rawset(t, name, value)
    return value
  end,
})
