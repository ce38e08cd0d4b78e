-- Texts of tensors, variables and gradients for the reference; see tools/docs/reference.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local made = "Sizes that are negative or no whole numbers; no memory."

return {
  intro = [[Tensors are arrays of float32 (which computes), int32 or uint8 (which store). Indices
and axes count from 1; t[i] is a view one dimension down, or a number of a vector; `#t` is the
first size.
Operators + - * / ^ % broadcast as in NumPy, and every function of nn.ops is a method too:
`t:sum{axis = -1}`.]],
  source = "NumPy and Keras 3.15.1, keras.ops",
  errors = "Shapes that do not broadcast or match; an index outside the tensor.",
  arguments = {
    data = "A number, nested tables, or a tensor.", start = "First number.", stop = "The end, left "
      .. "out; alone: from 0 to it.", step = "Distance of two numbers.", num = "How many numbers.",
    endpoint = "The end is the last number.", retstep = "Give the distance too.",
    N = "Number of rows.", M = "Number of columns; nil: N.", k = "The diagonal: 0 is the main one.",
    fill_value = "The value of all elements.", variables = "Variables or tensors.",
    ["..."] = "Sizes, or one list of them.", t = "The tensor.",
    ranges = "{first, last} for each axis, "
      .. "inclusive; {} or nil takes all.", axes = "The order of the axes; nil reverses them.",
    src = "A tensor of the same size.", path = "Names of the layers around it.",
  },
  entries = {
    tensor = {"A tensor of a number, nested tables or another tensor.", returns = "A new tensor.",
      shapes = "As the data are nested.", errors = "A ragged table: the message names the row.",
      example = "print(nn.tensor{{1, 2}, {3, 4}}) --> [[1. 2.] [3. 4.]]"},
    zeros = {"A tensor of zeros.", shapes = "The sizes given.", errors = made,
      returns = "A new tensor.", example = "print(nn.zeros{2}) --> [0. 0.]"},
    ones = {"A tensor of ones.", shapes = "The sizes given.", errors = made,
      returns = "A new tensor.", example = "print(nn.ones{2}) --> [1. 1.]"},
    full = {"A tensor of one value.", shapes = "The sizes given.", errors = made,
      returns = "A new tensor.", example = "print(nn.full{{2}, 3}) --> [3. 3.]"},
    arange = {"Numbers at equal distances, without the end.", shapes = "(numbers,).",
      returns = "A new tensor.", example = "print(nn.arange(3)) --> [0 1 2]"},
    linspace = {"`num` numbers at equal distances, with the end.", shapes = "(num,).",
      returns = "A new tensor.", example = "print(nn.linspace(0, 1, 3)) --> [0. 0.5 1. ]"},
    eye = {"1 on a diagonal, else 0.", shapes = "(N, M).", returns = "A new tensor.",
      example = "print(nn.eye(2)) --> [[1. 0.] [0. 1.]]"},
    Variable = {"State that training changes: a tensor with a name, whose storage never moves.",
      args = {initializer = "A tensor, a number, nested tables, or an initializer with `shape`."},
      shapes = "The tensor's.", returns = "A variable.", example = [[
local v = nn.Variable(nn.tensor{1, 2})
v:assign(nn.tensor{3, 4})
print(v.value) --> [3. 4.]
]]},
    None = "Stands for \"explicitly None\" where nil would ask for the default.",
    value_and_grad = {"Runs f(...) and gives its scalar and the gradients for the variables.",
      args = {f = "A function that gives a scalar tensor.", ["..."] = "Arguments of f."},
      shapes = "Each gradient has its variable's shape.",
      returns = "The scalar; a list of tensors, false where the scalar does not depend on a "
        .. "variable.",
      errors = "f gives no scalar tensor.", source = "Reverse-mode differentiation of what f "
        .. "records",
      example = [[
local v = nn.Variable(nn.tensor{3})
local loss, grads = nn.value_and_grad(function() return (v * v):sum() end, {v})
print(loss) --> 9.0
print(grads[1]) --> [6.]
]]},
  },
  fields = {
    Tensor = {shape = "The sizes, an array.", ndim = "Number of axes.",
    dtype = "\"float32\", \"int32\" "
      .. "or \"uint8\".", size = "Number of elements."},
    Variable = {value = "The live tensor.", shape = "The sizes.", ndim = "Number of axes.",
      dtype = "The element type.", size = "Number of elements.", name = "The name.",
      path = "Names of enclosing layers and the variable, joined by /.",
      trainable = "Whether training changes it."},
  },
  methods = {
    Tensor = {
      reshape = {"The same elements under other sizes; one may be -1. A view where possible.",
        signature = "(sizes)", example = "print(nn.arange(4):reshape{2, -1}) --> [[0 1] [2 3]]"},
      transpose = {"The axes reversed, or in the order given: a view.",
        example = "print(nn.tensor{{1, 2}}:transpose()) --> [[1.] [2.]]"},
      slice = {"Inclusive ranges: a view.",
        example = "print(nn.tensor{1, 2, 3}:slice{{2, 3}}) --> [2. 3.]"},
      astype = {"A new tensor of another dtype.",
        example = "print(nn.tensor{1.5}:astype \"int32\") --> [1]"},
      clone = {"A new tensor with the same elements.",
        example = "print(nn.tensor{1}:clone()) --> [1.]"},
      copy_from = {"Elements of another tensor into this one's storage.", example = [[
local t = nn.zeros{2}
t:copy_from(nn.tensor{1, 2})
print(t) --> [1. 2.]
]]},
      item = {"The number of a tensor with one element.", signature = "()",
        errors = "More than one element.", example = "print(nn.tensor{2.5}:item()) --> 2.5"},
      totable = {"Nested tables of numbers.", signature = "()",
        example = "print(nn.tensor{1, 2}:totable()[2]) --> 2.0"},
    },
    Variable = {
      assign = {"Replaces the value.", errors = "The shape differs."},
      assign_add = "Adds to the value.", assign_sub = "Subtracts from the value.",
      numpy = "A copy of the value that later steps do not change.",
    },
  },
}
