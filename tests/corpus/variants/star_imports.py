# /// submission
# title = "Star imports and globals"
# style = "names from star imports, the callback keeps its count in a list, Adam by position"
# ///

# %% callback
from tensorflow.keras.callbacks import *
from tensorflow.keras.optimizers import *

class TrainToAccuracy(Callback):
  def __init__(self, threshold=0.9, patience=3):
    self.t=threshold
    self.p=patience
    self.log=[]
  def on_epoch_end(self, epoch, logs=None):
    self.log.append(logs['val_accuracy'])
    n=0
    for v in reversed(self.log):
      if v>self.t: n=n+1
      else: break
    if n>=self.p: self.model.stop_training=True

# %% lr-loop
metrics_vs_lr=[]
lr_list=[0.0001,0.001,0.01,0.1,1.0]
def go():
  global metrics_vs_lr
  for lr in lr_list:
    model=get_model()
    model.compile(Adam(lr),loss='sparse_categorical_crossentropy',metrics=['accuracy'])
    s=time.time()
    h=model.fit(Xtr_scale,ytr,validation_split=.2,epochs=500,batch_size=128,callbacks=[TrainToAccuracy(.95,3)],verbose=0)
    e=time.time()
    l,a=model.evaluate(Xts_scale,yts,verbose=0)
    metrics_vs_lr=metrics_vs_lr+[{'batch_size':128,'learning_rate':lr,'epochs':len(h.history['loss']),'test_accuracy':a,'train_time':e-s,'total_energy':None}]
go()

# %% lr-plots
xs=list(map(str,lr_list))
f=plt.figure(figsize=(15,5))
k=1
for key,lab in [('train_time','Time (sec)'),('test_accuracy','Test accuracy'),('epochs','# epochs')]:
  a=f.add_subplot(130+k)
  k+=1
  v=[m[key] for m in metrics_vs_lr]
  a.bar(xs,v)
  a.set_xlabel('learning rate'); a.set_ylabel(lab)
  if key=='test_accuracy': a.set_ylim(min(v)-.01,max(v)+.01)

# %% bs-loop
metrics_vs_bs=[]
bs_list=[64,128,256,512,1024,2048]
def go():
  global metrics_vs_bs
  for bs in bs_list:
    model=get_model()
    model.compile(Adam(.001),loss='sparse_categorical_crossentropy',metrics=['accuracy'])
    s=time.time()
    h=model.fit(Xtr_scale,ytr,validation_split=.2,epochs=500,batch_size=bs,callbacks=[TrainToAccuracy(.95,3)],verbose=0)
    e=time.time()
    l,a=model.evaluate(Xts_scale,yts,verbose=0)
    metrics_vs_bs=metrics_vs_bs+[{'batch_size':bs,'learning_rate':.001,'epochs':len(h.history['loss']),'test_accuracy':a,'train_time':e-s,'total_energy':None}]
go()

# %% bs-plots
xs=list(map(str,bs_list))
f=plt.figure(figsize=(15,5))
k=1
for key,lab in [('train_time','Time (sec)'),('test_accuracy','Test accuracy'),('epochs','# epochs')]:
  a=f.add_subplot(130+k)
  k+=1
  v=[m[key] for m in metrics_vs_bs]
  a.bar(xs,v)
  a.set_xlabel('batch size'); a.set_ylabel(lab)
  if key=='test_accuracy': a.set_ylim(min(v)-.01,max(v)+.01)
