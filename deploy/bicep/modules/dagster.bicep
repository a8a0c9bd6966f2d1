// Dagster: code server, daemon and webserver from one image, and the job that brings the schema up to date.
param location string
param environmentId string
param registryServer string
param imageTag string
param settings object
param sqlServer string
param sqlDatabase string
param postgresServer string
param storageAccount string
param vaultUrl string
param writer object
param owner object
param reader object
param signInClientId string
param jobPerRun bool

@description('Resource group of the jobs that runs are.')
param runsGroup string
param runCores string

var image = '${registryServer}/mfcc:${imageTag}'
var registries = [
  {
    server: registryServer
    identity: writer.id
  }
]
var identity = {
  type: 'UserAssigned'
  userAssignedIdentities: {
    '${writer.id}': {}
  }
}

var codePort = 4000
var uiPort = 3000

var settingsOfAll = map(items(settings), setting => {
  name: setting.key
  value: setting.value
})

// A look at a container is a paid request, and a watch takes one every 0.1 s: see COSTS.md. The cache must fit on the
// disk of a replica, which has 8 GiB from two cores on.
var settingsOfWriter = [
  {
    name: 'MFCC_DATABASE_URL'
    value: 'mssql+mssqlpython://${writer.clientId}@${sqlServer}/${sqlDatabase}?authentication=ActiveDirectoryMSI'
  }
  {
    name: 'MFCC_WATCH_SECONDS'
    value: '0'
  }
  {
    // A full comparison of the library wakes the database, which is paid for until it has slept in: a third of the time
    // with one an hour, all the time with one a minute. What came and what went is seen within seconds all the same; what
    // a dead run left half-way is not.
    name: 'MFCC_LIBRARY_SWEEP_SECONDS'
    value: '21600'
  }
  {
    // That for uploads asks Cosmos DB alone, for all that were answered.
    name: 'MFCC_SWEEP_SECONDS'
    value: '600'
  }
  {
    name: 'MFCC_CACHE_GIGABYTES'
    value: runCores == '1.0' ? '2' : '5'
  }
  {
    name: 'AZURE_CLIENT_ID'
    value: writer.clientId
  }
]

// The names here are those that dagster.yaml and dagster-job-per-run.yaml read.
var settingsOfDagster = [
  {
    name: 'DAGSTER_HOME'
    value: jobPerRun ? '/opt/dagster/job-per-run' : '/opt/dagster/azure'
  }
  {
    name: 'DAGSTER_POSTGRES_HOST'
    value: postgresServer
  }
  {
    name: 'DAGSTER_POSTGRES_USER'
    value: writer.name
  }
  {
    name: 'DAGSTER_LOGS_ACCOUNT'
    value: storageAccount
  }
  {
    name: 'DAGSTER_RUNS_SUBSCRIPTION'
    value: subscription().subscriptionId
  }
  {
    name: 'DAGSTER_RUNS_GROUP'
    value: runsGroup
  }
  {
    name: 'DAGSTER_RUNS_REGION'
    value: location
  }
  {
    name: 'DAGSTER_RUNS_ENVIRONMENT'
    value: environmentId
  }
  {
    name: 'DAGSTER_RUNS_IDENTITY'
    value: writer.id
  }
]

// What a job for a run is made of.
var settingsOfCode = [
  {
    name: 'DAGSTER_CONTAINER_IMAGE'
    value: image
  }
  {
    name: 'DAGSTER_CONTAINER_CONTEXT'
    value: string({
      aca: {
        run_resources: resourcesOfRuns
      }
    })
  }
]

var variables = concat(settingsOfAll, settingsOfWriter, settingsOfDagster)

var resourcesOfRuns = {
  cpu: runCores
  memory: '${2 * int(first(split(runCores, '.')))}Gi'
}
var resourcesOfServers = {
  cpu: '0.5'
  memory: '1Gi'
}
var runsInCode = jobPerRun ? resourcesOfServers : resourcesOfRuns

// One of each: two daemons would ask for every run twice, and runs live in the one code server.
var one = {
  minReplicas: 1
  maxReplicas: 1
}

resource code 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'code'
  location: location
  identity: identity
  properties: {
    environmentId: environmentId
    configuration: {
      activeRevisionsMode: 'Single'
      registries: registries
      ingress: {
        external: false
        transport: 'tcp'
        targetPort: codePort
        exposedPort: codePort
      }
    }
    template: {
      // Told to stop, it waits for its runs to end, and begins no more. Azure allows no longer.
      terminationGracePeriodSeconds: 600
      containers: [
        {
          name: 'code'
          image: image
          command: [
            'dagster'
            'code-server'
            'start'
            '-h'
            '0.0.0.0'
            '-p'
            '${codePort}'
            '-m'
            'mfcc_assets.definitions'
          ]
          env: concat(variables, settingsOfCode)
          resources: {
            cpu: json(runsInCode.cpu)
            memory: runsInCode.memory
          }
          probes: [
            {
              type: 'Startup'
              tcpSocket: {
                port: codePort
              }
              periodSeconds: 5
              failureThreshold: 24
            }
            {
              type: 'Liveness'
              tcpSocket: {
                port: codePort
              }
              periodSeconds: 30
            }
          ]
        }
      ]
      scale: one
    }
  }
}

resource daemon 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'daemon'
  location: location
  identity: identity
  properties: {
    environmentId: environmentId
    configuration: {
      activeRevisionsMode: 'Single'
      registries: registries
    }
    template: {
      containers: [
        {
          name: 'daemon'
          image: image
          command: [
            'dagster-daemon'
            'run'
            '-w'
            '/opt/dagster/workspace.yaml'
          ]
          env: variables
          resources: {
            cpu: json(resourcesOfServers.cpu)
            memory: resourcesOfServers.memory
          }
        }
      ]
      scale: one
    }
  }
  dependsOn: [
    code
  ]
}

resource webserver 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'webserver'
  location: location
  identity: identity
  properties: {
    environmentId: environmentId
    configuration: {
      activeRevisionsMode: 'Single'
      registries: registries
      ingress: {
        external: true
        transport: 'auto'
        targetPort: uiPort
        allowInsecure: false
      }
      secrets: [
        {
          name: 'sign-in'
          keyVaultUrl: '${vaultUrl}secrets/dagster-ui-client-secret'
          identity: writer.id
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'webserver'
          image: image
          command: [
            'dagster-webserver'
            '-h'
            '0.0.0.0'
            '-p'
            '${uiPort}'
            '-w'
            '/opt/dagster/workspace.yaml'
          ]
          env: variables
          resources: {
            cpu: json(resourcesOfServers.cpu)
            memory: resourcesOfServers.memory
          }
          probes: [
            {
              type: 'Startup'
              httpGet: {
                port: uiPort
                path: '/server_info'
              }
              periodSeconds: 5
              failureThreshold: 24
            }
            {
              type: 'Liveness'
              httpGet: {
                port: uiPort
                path: '/server_info'
              }
              periodSeconds: 30
            }
          ]
        }
      ]
      scale: one
    }
  }
  dependsOn: [
    code
  ]
}

// The platform signs people in before a request reaches Dagster, which knows no users of its own.
resource signIn 'Microsoft.App/containerApps/authConfigs@2024-03-01' = {
  parent: webserver
  name: 'current'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      unauthenticatedClientAction: 'RedirectToLoginPage'
      redirectToProvider: 'azureactivedirectory'
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: signInClientId
          clientSecretSettingName: 'sign-in'
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
      }
    }
    httpSettings: {
      requireHttps: true
    }
  }
}

resource upgrade 'Microsoft.App/jobs@2024-03-01' = {
  name: 'upgrade'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${owner.id}': {}
    }
  }
  properties: {
    environmentId: environmentId
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: 1800
      replicaRetryLimit: 0
      manualTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
      }
      registries: [
        {
          server: registryServer
          identity: owner.id
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'upgrade'
          image: image
          command: [
            'sh'
            '-c'
            'mfcc database upgrade && mfcc database grant --writer ${writer.name}=${writer.clientId} --reader ${reader.name}=${reader.clientId}'
          ]
          env: concat(settingsOfAll, [
            {
              name: 'MFCC_DATABASE_URL'
              value: 'mssql+mssqlpython://${owner.clientId}@${sqlServer}/${sqlDatabase}?authentication=ActiveDirectoryMSI'
            }
            {
              name: 'AZURE_CLIENT_ID'
              value: owner.clientId
            }
          ])
          resources: {
            cpu: json('0.5')
            memory: '1Gi'
          }
        }
      ]
    }
  }
}
